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
import { crc32 } from 'node:zlib';
import type { AllowEntry, Decision, ProtectedEntry } from '../domain/decision.js';

/** What the responder remembers of a decision: enough to enforce, explain and report it again. */
export type KeptDecision = Omit<
  Decision,
  'trace' | 'alertIds' | 'enforcement' | 'error' | 'set' | 'hitPackets' | 'hitBytes' | 'lastHitMs'
>;

export type JournalRecord =
  | { t: 'put'; d: KeptDecision }
  | { t: 'del'; id: string }
  | { t: 'allow'; entries: AllowEntry[] }
  /** What the names in the allowlist stood for. */
  | { t: 'names'; known: Record<string, string[]> }
  | { t: 'protect'; entries: ProtectedEntry[] }
  /** Break-glass: decisions made before this time must not come back. */
  | { t: 'flush'; atMs: number };

export interface JournalContent {
  decisions: Map<string, KeptDecision>;
  allow: AllowEntry[];
  names: Record<string, string[]>;
  protected: ProtectedEntry[];
  flushedAtMs: number;
  /** Lines that were cut off or changed: skipped. */
  badLines: number;
  /** Much of the file is about what has ended: worth writing anew. */
  isWasteful: boolean;
}

const FILE = 'journal.jsonl';
const BREAK_GLASS = 'break-glass';
const COMPACT_AFTER_DEAD = 20_000;
const WASTE_LINES = 1000;
const LINES_PER_TURN = 2000;

/** Drops what is not needed again, so that 100,000 feed entries stay small; written out, because a copy of the rest is slow. */
export function keepDecision(d: Decision): KeptDecision {
  const kept: KeptDecision = {
    id: d.id,
    action: d.action,
    scope: d.scope,
    value: d.value,
    traffic: d.traffic,
    durationSecs: d.durationSecs,
    createdMs: d.createdMs,
    expiresMs: d.expiresMs,
    origin: d.origin,
    actor: d.actor,
    reason: d.reason,
    simulated: d.simulated,
    mode: d.mode,
    step: d.step,
  };
  if (d.proto !== undefined) kept.proto = d.proto;
  if (d.port !== undefined) kept.port = d.port;
  if (d.peer !== undefined) kept.peer = d.peer;
  if (d.peerPort !== undefined) kept.peerPort = d.peerPort;
  if (d.policy !== undefined) kept.policy = d.policy;
  if (d.policyVersion !== undefined) kept.policyVersion = d.policyVersion;
  if (d.incidentId !== undefined) kept.incidentId = d.incidentId;
  return kept;
}

function toLine(record: JournalRecord): string {
  const json = JSON.stringify(record);
  return `${crc32(json).toString(16).padStart(8, '0')} ${json}\n`;
}

/** Reads the journal of a folder; an absent one is empty. Damaged lines are skipped and counted. */
export function readJournal(dir: string): JournalContent {
  const content: JournalContent = {
    decisions: new Map(),
    allow: [],
    names: {},
    protected: [],
    flushedAtMs: 0,
    badLines: 0,
    isWasteful: false,
  };
  const path = join(dir, FILE);
  if (existsSync(path)) {
    const text = readFileSync(path, 'utf8');
    let lines = 0;
    for (let at = 0; at < text.length; lines++) {
      const end = text.indexOf('\n', at);
      const stop = end < 0 ? text.length : end;
      replay(content, text.slice(at, stop), end >= 0);
      at = stop + 1;
    }
    content.isWasteful = content.badLines > 0 || lines > 2 * content.decisions.size + WASTE_LINES;
  }
  const marker = join(dir, BREAK_GLASS);
  if (existsSync(marker)) {
    content.flushedAtMs = Math.max(content.flushedAtMs, statSync(marker).mtimeMs);
    content.decisions.clear();
  }
  return content;
}

function replay(content: JournalContent, line: string, isComplete: boolean): void {
  if (line.length === 0) return;
  const json = line.slice(9);
  if (!isComplete || parseInt(line.slice(0, 8), 16) !== crc32(json)) {
    content.badLines += 1;
    return;
  }
  const record = JSON.parse(json) as JournalRecord;
  if (record.t === 'put') content.decisions.set(record.d.id, record.d);
  else if (record.t === 'del') content.decisions.delete(record.id);
  else if (record.t === 'allow') content.allow = record.entries;
  else if (record.t === 'names') content.names = record.known;
  else if (record.t === 'protect') content.protected = record.entries;
  else {
    content.flushedAtMs = record.atMs;
    content.decisions.clear();
  }
}

/** A crash may have cut the last line off: what is appended next must not be glued to it. */
function endLastLine(fd: number): void {
  const { size } = fstatSync(fd);
  const last = Buffer.alloc(1);
  if (size > 0 && readSync(fd, last, 0, 1, size - 1) === 1 && last[0] !== 10) writeSync(fd, '\n');
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
  private dead = 0;
  private dirty = false;
  private compacting: string[] | undefined;
  private readonly timer: NodeJS.Timeout;

  constructor(dir: string, onError: (error: unknown) => void) {
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
    const text = records.map(toLine).join('');
    this.compacting?.push(text);
    for (const r of records) if (r.t !== 'put') this.dead += 1;
    try {
      writeSync(this.fd, text);
      this.dirty = true;
    } catch (error) {
      this.onError(error);
    }
  }

  needsCompaction(live: number): boolean {
    return this.compacting === undefined && this.dead > Math.max(COMPACT_AFTER_DEAD, live);
  }

  /** Writes a new file with only these records and puts it in place of the old one; appends go on meanwhile. */
  async compact(records: Iterable<JournalRecord>): Promise<void> {
    if (this.compacting) return;
    this.compacting = [];
    const path = join(this.dir, FILE);
    const fresh = `${path}.new`;
    try {
      const fd = openSync(fresh, 'w', 0o600);
      let lines: string[] = [];
      for (const record of records) {
        if (lines.push(toLine(record)) < LINES_PER_TURN) continue;
        writeSync(fd, lines.join(''));
        lines = [];
        await nextTurn();
      }
      writeSync(fd, lines.join('') + this.compacting.join(''));
      renameSync(fresh, path);
      closeSync(this.fd);
      this.fd = fd;
      this.dead = 0;
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
