import type { z } from 'zod';
import type { Logger } from '../util/logger.js';
import { createQuickCheck } from './quick-check.js';

/**
 * What the contract's parsers hand over: JSON has no `undefined`, so an optional key is either there with a value or
 * not there at all, as the domain's types say.
 */
export type Received<T> = T extends readonly (infer I)[]
  ? Received<I>[]
  : T extends object
    ? { [K in keyof T]: Received<Exclude<T[K], undefined>> }
    : T;

export interface InboxStats {
  received: number;
  rejected: number;
  /** Handlers that threw. */
  failed: number;
  [counter: string]: number;
}

/** A message of this length comes alone; in long lists the schema's own parser gets warm, and is then the quicker one. */
const SHORT = 16 * 1024;

/**
 * Checks what arrives against the contract. A message that is not JSON or not in the contract is counted, logged
 * once per kind, and dropped; the connection stays.
 */
export function createInbox<S extends z.ZodType>(
  schema: S,
  log: Logger,
  onMessage: (message: Received<z.output<S>>) => void,
): { accept(line: string): void; stats(): InboxStats } {
  let received = 0;
  let rejected = 0;
  let failed = 0;
  const logged = new Set<string>();
  const isPlain = createQuickCheck(schema);

  function reject(kind: string, problem: string): void {
    rejected++;
    if (logged.size >= 50 || logged.has(kind)) return;
    logged.add(kind);
    log.warn({ kind, problem }, 'bus message refused; further ones of this kind are only counted');
  }

  function refuse(value: unknown, error: z.ZodError): void {
    const issue = error.issues[0];
    const type = typeof value === 'object' && value !== null && 'type' in value ? String(value.type).slice(0, 32) : '';
    reject(type === '' ? 'no type' : type, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
  }

  function take(message: Received<z.output<S>>): void {
    received++;
    try {
      onMessage(message);
    } catch (error) {
      failed++;
      log.error({ err: error }, 'bus message could not be handled');
    }
  }

  return {
    accept(line) {
      let value: unknown;
      try {
        value = JSON.parse(line);
      } catch {
        reject('not json', 'the line is not JSON');
        return;
      }
      if (line.length <= SHORT && isPlain(value)) {
        take(value as Received<z.output<S>>);
        return;
      }
      const result = schema.safeParse(value);
      if (result.success) take(result.data as Received<z.output<S>>);
      else refuse(value, result.error);
    },
    stats: () => ({ received, rejected, failed }),
  };
}
