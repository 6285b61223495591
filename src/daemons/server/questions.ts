import type { ResponderCommand } from '../../contract/ipc.js';
import { AppError } from '../../util/errors.js';
import { uuid7 } from '../../util/uuid7.js';

type What = Extract<ResponderCommand, { type: 'ask' }>['what'];

/** Questions to the responder whose answers come back as messages. */
export interface Questions {
  /** @throws AppError responder.away, responder.silent */
  ask(what: What, value: string | undefined, timeoutMs: number): Promise<unknown>;
  answer(requestId: string, result: unknown): void;
}

export function createQuestions(send: (command: ResponderCommand) => number): Questions {
  const waiting = new Map<string, (result: unknown) => void>();
  return {
    ask(what, value, timeoutMs) {
      const requestId = uuid7();
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(requestId);
          reject(
            new AppError({
              kind: 'operational',
              code: 'responder.silent',
              message: `The responder did not answer within ${timeoutMs / 1000} s.`,
            }),
          );
        }, timeoutMs);
        waiting.set(requestId, (result) => {
          clearTimeout(timer);
          waiting.delete(requestId);
          resolve(result);
        });
        const sent = send({ type: 'ask', requestId, what, ...(value === undefined ? {} : { value }) });
        if (sent > 0) return;
        clearTimeout(timer);
        waiting.delete(requestId);
        reject(
          new AppError({
            kind: 'operational',
            code: 'responder.away',
            message: 'The responder is not connected.',
            fix: 'Start the responder; it dials the server by itself.',
          }),
        );
      });
    },
    answer(requestId, result) {
      waiting.get(requestId)?.(result);
    },
  };
}
