import {
  closeSync,
  existsSync,
  fstatSync,
  fsync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AllowEntry, ProtectedEntry } from '../domain/decision.js';
import { decisionsOf, parseLine, toLines, type JournalRecord, type KeptDecision } from './journal-record.js';

export interface JournalContent {
  decisions: Map<string, KeptDecision>;
  allow: AllowEntry[];
  names: Record<string, string[]>;
  protected: ProtectedEntry[];
  flushedAtMs: number;
  /** Lines that were cut off or changed: skipped. */
  badLines: number;
  /** What the file's size is told from: decisions and all else, also what has ended since. */
  records: number;
}

const FILE = 'journal.jsonl';
const LINE_FEED = 10;
const BREAK_GLASS = 'break-glass';
/** Records that may be about what has ended before the file is written anew. */
const COMPACT_AFTER_DEAD = 20_000;
const RECORDS_PER_TURN = 2000;

/** Reads the journal of a folder; an absent one is empty. Damaged lines are skipped and counted. */
export function readJournal(dir: string): JournalContent {
  const content: JournalContent = {
    decisions: new Map(),
    allow: [],
    names: {},
    protected: [],
    flushedAtMs: 0,
    badLines: 0,
    records: 0,
  };
  const path = join(dir, FILE);
  if (existsSync(path)) {
    const data = readFileSync(path);
    for (let at = 0; at < data.length;) {
      const end = data.indexOf(LINE_FEED, at);
      const stop = end < 0 ? data.length : end;
      if (stop > at) content.records += replay(content, end < 0 ? undefined : parseLine(data.subarray(at, stop)));
      at = stop + 1;
    }
  }
  const marker = join(dir, BREAK_GLASS);
  if (existsSync(marker)) {
    content.flushedAtMs = Math.max(content.flushedAtMs, statSync(marker).mtimeMs);
    content.decisions.clear();
  }
  return content;
}

/** @returns how many records it was. */
function replay(content: JournalContent, line: ReturnType<typeof parseLine>): number {
  if (!line) content.badLines += 1;
  else if (line.t === 'puts') for (const d of decisionsOf(line)) content.decisions.set(d.id, d);
  else if (line.t === 'put') content.decisions.set(line.d.id, line.d);
  else if (line.t === 'del') content.decisions.delete(line.id);
  else if (line.t === 'allow') content.allow = line.entries;
  else if (line.t === 'names') content.names = line.known;
  else if (line.t === 'protect') content.protected = line.entries;
  else {
    content.flushedAtMs = line.atMs;
    content.decisions.clear();
  }
  return line?.t === 'puts' ? line.rows.length : 1;
}

/** A crash may have cut the last line off: what is appended next must not be glued to it. */
function endLastLine(fd: number): void {
  const { size } = fstatSync(fd);
  const last = Buffer.alloc(1);
  if (size > 0 && readSync(fd, last, 0, 1, size - 1) === 1 && last[0] !== 10) writeSync(fd, '\n');
}

/** A full disk takes a part and then refuses the rest: that must not pass for written. */
function writeFully(fd: number, text: string): void {
  const data = Buffer.from(text);
  for (let done = 0; done < data.length;) done += writeSync(fd, data, done);
}

/** True when a responder has worked with this folder. */
export function hasJournal(dir: string): boolean {
  return existsSync(join(dir, FILE));
}

/** Marks the folder as flushed by hand: a running or later responder drops its decisions. */
export function writeBreakGlass(dir: string): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  closeSync(openSync(join(dir, BREAK_GLASS), 'w', 0o600));
}

/**
 * Append-only file of what is in force, written after the kernel acknowledged, so that blocks come back with the
 * server dead. Appends reach the page cache at once (a killed process loses nothing) and the disk within a second.
 */
export class Journal {
  private readonly dir: string;
  private readonly onError: (error: unknown) => void;
  private fd: number;
  /** Decisions and all else in the file. */
  private records: number;
  /** Some of its lines cannot be read. */
  private isDamaged: boolean;
  private dirty = false;
  /** The last write failed half way: what comes next starts a line of its own. */
  private isTorn = false;
  private compacting: string[] | undefined;
  private readonly timer: NodeJS.Timeout;

  /** @param found what was in the file; damaged lines are worth a new one */
  constructor(dir: string, onError: (error: unknown) => void, found?: Pick<JournalContent, 'records' | 'badLines'>) {
    this.records = found?.records ?? 0;
    this.isDamaged = (found?.badLines ?? 0) > 0;
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    this.dir = dir;
    this.onError = onError;
    this.fd = openSync(join(dir, FILE), 'a+', 0o600);
    endLastLine(this.fd);
    this.timer = setInterval(() => this.sync(), 1000);
    this.timer.unref();
  }

  /** Time of a break-glass flush that nobody has taken notice of yet, or 0; taking it removes the mark. */
  takeBreakGlass(): number {
    const marker = join(this.dir, BREAK_GLASS);
    if (!existsSync(marker)) return 0;
    const atMs = statSync(marker).mtimeMs;
    rmSync(marker, { force: true });
    return atMs;
  }

  append(records: readonly JournalRecord[]): void {
    if (records.length === 0) return;
    const text = toLines(records);
    this.compacting?.push(text);
    this.records += records.length;
    try {
      writeFully(this.fd, this.isTorn ? `\n${text}` : text);
      this.isTorn = false;
      this.dirty = true;
    } catch (error) {
      this.isTorn = true;
      this.onError(error);
    }
  }

  needsCompaction(live: number): boolean {
    if (this.compacting) return false;
    return this.isDamaged || this.records - live > Math.max(COMPACT_AFTER_DEAD, live);
  }

  /** Writes a new file with only these records and puts it in place of the old one; appends go on meanwhile. */
  async compact(records: Iterable<JournalRecord>): Promise<void> {
    if (this.compacting) return;
    this.compacting = [];
    const path = join(this.dir, FILE);
    const fresh = `${path}.new`;
    const before = this.records;
    let kept = 0;
    try {
      const fd = openSync(fresh, 'w', 0o600);
      let part: JournalRecord[] = [];
      for (const record of records) {
        kept += 1;
        if (part.push(record) < RECORDS_PER_TURN) continue;
        writeFully(fd, toLines(part));
        part = [];
        await nextTurn();
        if (this.fd < 0) {
          closeSync(fd);
          rmSync(fresh, { force: true });
          return;
        }
      }
      writeFully(fd, toLines(part) + this.compacting.join(''));
      renameSync(fresh, path);
      closeSync(this.fd);
      this.fd = fd;
      this.isTorn = false;
      this.records += kept - before;
      this.isDamaged = false;
      this.dirty = true;
    } catch (error) {
      this.onError(error);
    } finally {
      this.compacting = undefined;
    }
  }

  close(): void {
    clearInterval(this.timer);
    closeSync(this.fd);
    this.fd = -1;
  }

  private sync(): void {
    if (!this.dirty || this.fd < 0) return;
    this.dirty = false;
    fsync(this.fd, (error) => {
      if (error && error.code !== 'EBADF') this.onError(error);
    });
  }
}
