import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readFileSync,
  statfsSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { errorMessage } from '../util/errors.js';
import { fromCrcLine, toCrcLine } from '../util/crc-line.js';
import type { Logger } from '../util/logger.js';

/** Set aside, bytes: some 3,500 decisions with what became of them. */
const RESERVED_BYTES = 16 * 1024 * 1024;
/** Of what is free at most this part is set aside. */
const OF_FREE = 1 / 8;

/** What opening the database needs, and some rows. */
const GIVEN_BACK = 1024 * 1024;

/** What waits for the database, where the next start finds it. */
export interface WaitingFile<T> {
  /** What an earlier process left, oldest first. */
  readonly found: readonly T[];
  add(item: T): void;
  /** The database has it all. */
  clear(): void;
  close(): void;
}

/** The lines from the beginning as far as they are whole: behind them is what was there before. */
function readLines<T>(content: Buffer): { found: T[]; end: number } {
  const found: T[] = [];
  let end = 0;
  for (;;) {
    const newline = content.indexOf(10, end);
    const value = newline < 0 ? undefined : fromCrcLine(content.subarray(end, newline));
    if (value === undefined) return { found, end };
    found.push(value as T);
    end = newline + 1;
  }
}

/**
 * Opens a file whose space was taken while there was some: writing into it works on a full disk, except where a file
 * system writes each block to a new place (Btrfs, ZFS). Without room for it, and when it is full, nothing is kept and the
 * log says so.
 * @param isWorthIt false for what may be forgotten
 */
export function openWaitingFile<T>(path: string, log: Logger, isWorthIt: (item: T) => boolean): WaitingFile<T> {
  const { fd, size } = reserve(path, log);
  const { found, end: wasEnd } = readLines<T>(readFileSync(path));
  let end = wasEnd;
  let told = false;

  function fail(reason: string): void {
    if (told) return;
    told = true;
    log.error({ path, reason }, 'What waits for the database cannot be kept for the next start.');
  }

  return {
    found,
    add(item) {
      if (!isWorthIt(item)) return;
      // The byte behind the last line ends what is valid.
      const text = Buffer.from(`${toCrcLine(item)}\0`);
      if (end + text.length > size) return fail('the file is full');
      try {
        writeSync(fd, text, 0, text.length, end);
        end += text.length - 1;
      } catch (error) {
        fail(errorMessage(error));
      }
    },
    clear() {
      if (end === 0) return;
      end = 0;
      told = false;
      try {
        writeSync(fd, Buffer.alloc(1), 0, 1, 0);
      } catch (error) {
        fail(errorMessage(error));
      }
    },
    close: () => closeSync(fd),
  };
}

/**
 * Frees space that nothing was written to yet, so that a database can be opened on a full disk.
 * @returns false when there was none
 */
export function giveBack(path: string, bytes = GIVEN_BACK): boolean {
  if (!existsSync(path)) return false;
  const content = readFileSync(path);
  const size = Math.max(readLines(content).end, content.length - bytes);
  if (size === content.length) return false;
  truncateSync(path, size);
  return true;
}

/** Fills the file with zeros up to its size, so that its blocks are its own. */
function reserve(path: string, log: Logger): { fd: number; size: number } {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  const { bavail, bsize } = statfsSync(dirname(path));
  const size = Math.min(RESERVED_BYTES, Math.floor(bavail * bsize * OF_FREE));
  let at = fstatSync(fd).size;
  const zeros = Buffer.alloc(64 * 1024);
  try {
    while (at < size) at += writeSync(fd, zeros, 0, Math.min(zeros.length, size - at), at);
  } catch (error) {
    log.warn({ err: error, path }, 'No space could be set aside for what waits for the database.');
  }
  return { fd, size: at };
}
