import type { Middleware } from 'koa';
import { AppError } from '../../util/errors.js';
import type { Logger } from '../../util/logger.js';
import { toProblem, userError } from '../errors.js';

/** Turns what was thrown into a problem document, and an unanswered request into 404. */
export function problems(log: Logger): Middleware {
  return async (ctx, next) => {
    try {
      await next();
      if (ctx.status === 404 && ctx.body === undefined) {
        throw userError({ code: 'api.not_found', message: 'There is nothing at this address.' });
      }
      // The router has said in Allow what there is.
      if ((ctx.status === 405 || ctx.status === 501) && ctx.body === undefined) {
        throw userError({
          code: 'request.method',
          message: `Nothing here answers to ${ctx.method}.`,
          fix: `Use ${ctx.response.get('Allow')}.`,
        });
      }
    } catch (error) {
      const problem = toProblem(error);
      if (problem.status >= 500) {
        const code = error instanceof AppError ? error.code : undefined;
        log.error({ err: error, code, method: ctx.method, path: ctx.path }, 'request failed');
      }
      ctx.status = problem.status;
      ctx.body = problem;
      ctx.type = 'application/problem+json';
      if (problem.retryAfterSecs !== undefined) ctx.set('Retry-After', String(problem.retryAfterSecs));
      if (problem.status === 401) ctx.set('WWW-Authenticate', 'Bearer realm="portcullis"');
    }
    // Whoever still sends a body that nobody reads does not keep a connection.
    if (!ctx.req.complete) ctx.set('Connection', 'close');
  };
}
