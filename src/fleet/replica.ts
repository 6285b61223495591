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
  values(): IterableIterator<Statement>;
  readonly size: number;
  /** False while the file lacks something of it: the disk is full. */
  readonly isSaved: boolean;
  /** Forgets what is long over. @returns what it forgot. */
  expire(nowMs: number): Statement[];
  close(): void;
}

/** Read from the file before their signatures are checked, and the event loop goes round. */
const TOGETHER = 128;

/** @param refuseAll what a file says is checked like what the bus says. */
export async function openReplica(dir: string, refuseAll: Trust['refuseAll'], nowMs: number): Promise<Replica> {
  mkdirSync(dir, { recursive: true, mode: 0o750 });
  const path = join(dir, FILE);
  const known = new Map<string, Statement>();
  const keyOf = (s: Statement): string => `${proofOf(s).issuer} ${idOf(s)}`;
  const isNewer = (s: Statement): boolean => {
    const before = known.get(keyOf(s));
    return before === undefined || proofOf(before).version < proofOf(s).version;
  };
  const isOver = (s: Statement, atMs: number): boolean => endOf(s) + REMEMBER_MS < atMs;
  /** Nothing ends before, so that nobody goes through 100,000 decisions every second. */
  let soonestMs = 0;

  for (const read of readStatements(path)) {
    const some = read.filter((statement) => !isOver(statement, nowMs) && isNewer(statement));
    const why = await refuseAll(some);
    for (const [i, statement] of some.entries()) {
      if (why[i] === undefined && isNewer(statement)) known.set(keyOf(statement), statement);
    }
    await nextTurn();
  }
  let dead = 0;
  let fd = compact();
  /** The file lacks something; epoch milliseconds of the next try. */
  let retryAtMs: number | undefined;

  function compact(): number {
    const lines = [...known.values()].map((s) => `${JSON.stringify(s)}\n`);
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
      known.set(keyOf(statement), statement);
      soonestMs = Math.min(soonestMs, endOf(statement));
      append(`${JSON.stringify(statement)}\n`);
      return true;
    },
    get: (issuer, id) => known.get(`${issuer} ${id}`),
    values: () => known.values(),
    get size() {
      return known.size;
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

/** Some at a time. Lines that a crash has cut off or that are none of ours are skipped. */
function* readStatements(path: string): Generator<Statement[]> {
  if (!existsSync(path)) return;
  const lines = readFileSync(path, 'utf8').split('\n');
  for (let from = 0; from < lines.length; from += TOGETHER) {
    yield lines.slice(from, from + TOGETHER).flatMap((line) => (line === '' ? [] : (parseStatement(line) ?? [])));
  }
}

/** @returns undefined when it does not follow the contract. */
export function parseStatement(text: string): Statement | undefined {
  try {
    const parsed = statementSchema.safeParse(JSON.parse(text));
    return parsed.success ? (parsed.data as Statement) : undefined;
  } catch {
    return undefined;
  }
}
