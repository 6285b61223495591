import type { Middleware } from 'koa';
import { healthSchema, type Health } from '../contract/http.js';
import { requireRole, requireScope, type AccessControl } from './auth/access.js';
import type { ApiDeps } from './deps.js';
import { isLoopback } from './client-network.js';
import { userError } from './errors.js';
import type { LiveFeed } from './live.js';
import { formatMetrics } from './metrics.js';
import { createOpenApi } from './openapi.js';
import { clientAddress } from './operation-router.js';

interface Parts {
  deps: ApiDeps;
  access: AccessControl;
  live: LiveFeed;
}

/** /health, /ready, /metrics and /openapi.json: for machines, outside the versioned API. */
export function publicRoutes({ deps, access, live }: Parts): Middleware {
  const startedMs = Date.now();
  /** Made when it is first asked for. */
  let openApi: string | undefined;
  let requests = 0;

  async function health(): Promise<Health> {
    const components = { ...deps.control.health(), database: await deps.store.health() };
    const ok = Object.values(components).every((component) => component.ok);
    return healthSchema.parse({
      status: ok ? 'ok' : 'degraded',
      version: deps.version,
      uptimeSecs: Math.floor((Date.now() - startedMs) / 1000),
      components,
    });
  }

  return async (ctx, next) => {
    requests++;
    const isRead = ctx.method === 'GET' || ctx.method === 'HEAD';
    if (!isRead) return next();
    switch (ctx.path) {
      case '/health':
        ctx.body = await health();
        return undefined;
      case '/ready': {
        const state = await health();
        ctx.status = state.components['database']?.ok === true ? 200 : 503;
        ctx.body = { ready: ctx.status === 200 };
        return undefined;
      }
      case '/metrics': {
        if (!isLoopback(clientAddress(ctx.req.socket.remoteAddress))) {
          const bearer = /^Bearer (\S+)$/i.exec(ctx.get('Authorization'))?.[1];
          if (bearer === undefined) throw userError({ code: 'auth.required', message: 'This needs a token.' });
          const principal = await access.authenticate(bearer);
          requireScope(principal, undefined);
          requireRole(principal, 'viewer');
        }
        const own = { api_requests_total: requests, api_uptime_seconds: (Date.now() - startedMs) / 1000 };
        ctx.type = 'text/plain; version=0.0.4; charset=utf-8';
        ctx.body = formatMetrics({ ...own, ...live.stats(), ...deps.store.stats(), ...deps.control.metrics() });
        return undefined;
      }
      case '/openapi.json':
        ctx.type = 'application/json';
        ctx.body = openApi ??= JSON.stringify(createOpenApi(deps.version));
        return undefined;
      default:
        return next();
    }
  };
}
