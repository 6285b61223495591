import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { z } from 'zod';
import { statementSchema } from '../contract/fleet.js';
import { idOf, proofOf, type Statement } from './seal.js';
import type { Trust } from './trust.js';

/** A decision that is over is remembered this long: a late copy of it must not come back. */
const REMEMBER_MS = 60_000;
const FILE = 'decisions.jsonl';
const COMPACT_AFTER = 5000;
/** What could not be written, for instance because the disk is full, is tried again after this time, milliseconds. */
const RETRY_MS = 10_000;

/** When a statement means nothing any more, epoch milliseconds; Infinity for a block without an end. */
export function endOf(statement: Statement): number {
  if (statement.state === 'released') return statement.keepMs;
  const { expiresMs } = statement.decision;
  return expiresMs === 0 ? Infinity : expiresMs;
}

/**
 * What this member knows of the fleet's decisions: the newest valid statement on each. Kept in a file, so that a box that
 * starts while it is cut off has the same blocks as before, and remembers what it has not been able to say.
 */
export interface Replica {
  /** @returns false when something newer is known. */
  put(statement: Statement): boolean;
  get(issuer: string, id: string): Statement | undefined;
  /**
   * Its time has passed here, whatever the clock says then or after the next start: it does not count again, and a newer
   * statement does.
   */
  end(issuer: string, id: string, version: number): void;
  /** What counts: without what has ended. */
  values(): IterableIterator<Statement>;
  readonly size: number;
  /** False while the file lacks something of it: the disk is full. */
  readonly isSaved: boolean;
  /** Forgets what is long over. @returns what it forgot. */
  expire(nowMs: number): Statement[];
  close(): void;
}

/** A line of the file: the statement of this version has ended here. */
const endSchema = z.strictObject({ ended: z.tuple([z.string(), z.string(), z.number()]) });
type End = z.infer<typeof endSchema>;

/** Read from the file before their signatures are checked, and the event loop goes round. */
const TOGETHER = 128;

/** @param refuseAll what a file says is checked like what the bus says. */
export async function openReplica(dir: string, refuseAll: Trust['refuseAll'], nowMs: number): Promise<Replica> {
  mkdirSync(dir, { recursive: true, mode: 0o750 });
  const path = join(dir, FILE);
  const known = new Map<string, Statement>();
  /** Of what is known, what must not count again. */
  const ended = new Set<string>();
  const keyOf = (s: Statement): string => `${proofOf(s).issuer} ${idOf(s)}`;
  const endLine = (s: Statement): string => {
    const { issuer, version } = proofOf(s);
    return `${JSON.stringify({ ended: [issuer, idOf(s), version] } satisfies End)}\n`;
  };
  const isNewer = (s: Statement): boolean => {
    const before = known.get(keyOf(s));
    return before === undefined || proofOf(before).version < proofOf(s).version;
  };
  const isOver = (s: Statement, atMs: number): boolean => endOf(s) + REMEMBER_MS < atMs;
  /** Nothing ends before, so that nobody goes through 100,000 decisions every second. */
  let soonestMs = 0;

  function set(statement: Statement): void {
    known.set(keyOf(statement), statement);
    ended.delete(keyOf(statement));
  }

  /** @returns the statement that ends by it. */
  function markEnded(issuer: string, id: string, version: number): Statement | undefined {
    const key = `${issuer} ${id}`;
    const statement = known.get(key);
    if (!statement || proofOf(statement).version !== version || ended.has(key)) return undefined;
    ended.add(key);
    return statement;
  }

  for (const read of readLines(path)) {
    const some = read.statements.filter((statement) => !isOver(statement, nowMs) && isNewer(statement));
    const why = await refuseAll(some);
    for (const [i, statement] of some.entries()) if (why[i] === undefined && isNewer(statement)) set(statement);
    for (const end of read.ends) markEnded(...end.ended);
    await nextTurn();
  }
  let dead = 0;
  let fd = compact();
  /** The file lacks something; epoch milliseconds of the next try. */
  let retryAtMs: number | undefined;

  function compact(): number {
    const lines = [...known].map(([key, s]) => `${JSON.stringify(s)}\n${ended.has(key) ? endLine(s) : ''}`);
    writeFileSync(`${path}.new`, lines.join(''), { mode: 0o600 });
    renameSync(`${path}.new`, path);
    return openSync(path, 'a', 0o600);
  }

  /** Writes the file anew; the old one stays when that fails. */
  function renew(atMs: number): void {
    try {
      const next = compact();
      closeSync(fd);
      fd = next;
      dead = 0;
      retryAtMs = undefined;
    } catch {
      retryAtMs = atMs + RETRY_MS;
    }
  }

  function append(line: string): void {
    try {
      if (writeSync(fd, line) === Buffer.byteLength(line)) return;
    } catch {
      // What is known counts all the same.
    }
    retryAtMs ??= 0;
  }

  return {
    put(statement) {
      if (!isNewer(statement)) return false;
      if (known.has(keyOf(statement))) dead++;
      set(statement);
      soonestMs = Math.min(soonestMs, endOf(statement));
      append(`${JSON.stringify(statement)}\n`);
      return true;
    },
    get: (issuer, id) => known.get(`${issuer} ${id}`),
    end(issuer, id, version) {
      const statement = markEnded(issuer, id, version);
      if (statement) append(endLine(statement));
    },
    *values() {
      for (const [key, statement] of known) if (!ended.has(key)) yield statement;
    },
    get size() {
      return known.size - ended.size;
    },
    get isSaved() {
      return retryAtMs === undefined;
    },
    expire(atMs) {
      const over: Statement[] = [];
      if (retryAtMs !== undefined && retryAtMs <= atMs) renew(atMs);
      if (soonestMs + REMEMBER_MS >= atMs) return over;
      soonestMs = Infinity;
      for (const [key, statement] of known) {
        if (!isOver(statement, atMs)) {
          soonestMs = Math.min(soonestMs, endOf(statement));
          continue;
        }
        // The file still has it, and the clock may be behind at the next start.
        if (!ended.delete(key)) append(endLine(statement));
        known.delete(key);
        over.push(statement);
      }
      dead += over.length;
      if (retryAtMs === undefined && dead > Math.max(COMPACT_AFTER, known.size)) renew(atMs);
      return over;
    },
    close() {
      closeSync(fd);
    },
  };
}

/** Some at a time; an end comes after its statement. Lines that a crash has cut off or that are none of ours are skipped. */
function* readLines(path: string): Generator<{ statements: Statement[]; ends: End[] }> {
  if (!existsSync(path)) return;
  const lines = readFileSync(path, 'utf8').split('\n');
  for (let from = 0; from < lines.length; from += TOGETHER) {
    const some = lines.slice(from, from + TOGETHER).filter((line) => line !== '');
    const ends = some.flatMap((line) => (line.startsWith('{"ended":') ? (parseAs(endSchema, line) ?? []) : []));
    yield { statements: some.flatMap((line) => parseStatement(line) ?? []), ends };
  }
}

/** @returns undefined when it does not follow the contract. */
export const parseStatement = (text: string): Statement | undefined =>
  parseAs(statementSchema, text) as Statement | undefined;

function parseAs<T>(schema: z.ZodType<T>, text: string): T | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
