import { open, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { SiemEvent } from '../../domain/siem-event.js';
import { errorMessage } from '../../util/errors.js';
import type { Logger } from '../../util/logger.js';
import { RECORD_OVERHEAD_BYTES, writeRecord } from './record.js';
import { listSegments, recoverSegment, segmentName, syncDirectory, type Segment } from './segment.js';

/** An event with its place in the lane. */
export interface Entry {
  seq: number;
  event: SiemEvent;
  /** Length of its JSON text. */
  size: number;
}

interface PendingEntry extends Entry {
  json: string;
}

export interface LaneOptions {
  dir: string;
  name: string;
  segmentBytes: number;
  /** JSON text kept in memory while the disk does not take it; more is refused. */
  pendingBytes: number;
  /** JSON text of written events kept in memory for readers that are close behind. */
  cacheBytes: number;
  /** Below this every reader has read: no need to keep it in memory. */
  readUpTo(): number;
  /** Lowest next sequence number that is allowed: the highest cursor, so that none is used twice. */
  minNextSeq: number;
  log: Logger;
}

const CHUNK_JSON_LENGTH = 256 * 1024;

/**
 * One priority lane of the spool: an append-only log in segments, with its newest part in memory. Readers take from
 * memory what is there and from disk what is older, so a full disk stops nobody who keeps up.
 */
export class Lane {
  readonly name: string;
  readonly segments: Segment[] = [];
  /** Newest entries, contiguous; `entries[head]` is the oldest one kept. */
  private entries: PendingEntry[] = [];
  private head = 0;
  private heldBytes = 0;
  private nextSeq: number;
  private writtenSeq: number;
  private pendingSize = 0;
  private file: FileHandle | undefined;
  private flushing: Promise<void> | undefined;
  /** Writing and dropping take turns. */
  private turn: Promise<unknown> = Promise.resolve();
  private syncing: Promise<void> | undefined;
  private buffer = Buffer.allocUnsafe(0);
  private dirty = false;
  /** Message of the last failed write; empty when the disk works. */
  writeError = '';

  private readonly options: LaneOptions;

  private constructor(options: LaneOptions, segments: Segment[], nextSeq: number) {
    this.options = options;
    this.name = options.name;
    this.segments = segments;
    this.nextSeq = nextSeq;
    this.writtenSeq = nextSeq;
  }

  static async open(options: LaneOptions): Promise<Lane> {
    const segments = await listSegments(options.dir, options.name);
    let nextSeq = 0;
    const last = segments.at(-1);
    if (last) {
      const recovered = await recoverSegment(last);
      nextSeq = recovered.nextSeq;
      if (recovered.cutBytes > 0) {
        options.log.warn({ segment: last.path, bytes: recovered.cutBytes }, 'spool: torn tail cut off');
      }
    }
    return new Lane(options, segments, Math.max(nextSeq, options.minNextSeq));
  }

  /** Sequence number that the next event gets. */
  get end(): number {
    return this.nextSeq;
  }

  /** Oldest sequence number in memory. */
  get memoryStart(): number {
    return this.entries[this.head]?.seq ?? this.nextSeq;
  }

  get bytes(): number {
    return this.segments.reduce((sum, segment) => sum + segment.bytes, 0);
  }

  get pending(): number {
    return this.nextSeq - this.writtenSeq;
  }

  /** @returns false when it was refused because the disk has not taken earlier events. */
  append(event: SiemEvent, json: string): boolean {
    if (this.pendingSize + json.length > this.options.pendingBytes) return false;
    this.entries.push({ seq: this.nextSeq++, event, size: json.length, json });
    this.pendingSize += json.length;
    this.heldBytes += json.length;
    return true;
  }

  /** Entry in memory, or undefined. */
  inMemory(seq: number): Entry | undefined {
    return this.entries[this.head + seq - this.memoryStart];
  }

  /** Writes everything pending; several calls share one run. Never rejects: see {@link writeError}. */
  flush(): Promise<void> {
    this.flushing ??= this.exclusive(() => this.writeAll()).finally(() => {
      this.flushing = undefined;
    });
    return this.flushing;
  }

  private exclusive<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.turn.then(work);
    this.turn = mine.catch(() => undefined);
    return mine;
  }

  /** Makes what was written survive a power failure. */
  async sync(): Promise<void> {
    while (this.syncing) await this.syncing;
    const file = this.file;
    if (!this.dirty || !file) return;
    this.dirty = false;
    this.syncing = file
      .datasync()
      .catch((error: unknown) => {
        this.dirty = true;
        this.writeError = errorMessage(error);
      })
      .finally(() => {
        this.syncing = undefined;
      });
    await this.syncing;
  }

  /** Pending entries below `seq` need not be written any more: every reader has confirmed them. */
  forget(seq: number): void {
    if (this.flushing) return;
    while (this.writtenSeq < Math.min(seq, this.nextSeq)) this.markWritten(this.writtenSeq);
    this.evict();
  }

  /** With nothing left to write, an old failure is over. */
  settle(): void {
    if (this.pending === 0) this.writeError = '';
  }

  /** Removes the oldest segment, also the one being written. */
  dropOldest(): Promise<Segment | undefined> {
    return this.exclusive(async () => {
      if (this.segments.length <= 1) await this.closeFile();
      const segment = this.segments.shift();
      if (segment) await unlink(segment.path).catch(() => undefined);
      return segment;
    });
  }

  /** First sequence number after a segment. */
  segmentEnd(index: number): number {
    return this.segments[index + 1]?.firstSeq ?? this.writtenSeq;
  }

  /** Ends the active segment; the next write starts a new one. */
  async closeFile(): Promise<void> {
    const file = this.file;
    this.file = undefined;
    if (!file) return;
    while (this.syncing) await this.syncing;
    await file.datasync().catch(() => undefined);
    await file.close().catch(() => undefined);
    this.dirty = false;
  }

  async close(): Promise<void> {
    await this.flush();
    await this.closeFile();
  }

  private async writeAll(): Promise<void> {
    while (this.writtenSeq < this.nextSeq) {
      try {
        await this.writeChunk();
        this.writeError = '';
      } catch (error) {
        const message = errorMessage(error);
        if (message !== this.writeError) {
          this.options.log.error({ lane: this.name, error: message }, 'spool: cannot write; events are kept in memory');
        }
        this.writeError = message;
        return;
      }
    }
  }

  private async writeChunk(): Promise<void> {
    const first = this.head + this.writtenSeq - this.memoryStart;
    let count = 0;
    let jsonLength = 0;
    for (let i = first; i < this.entries.length && jsonLength < CHUNK_JSON_LENGTH; i++, count++) {
      jsonLength += this.entries[i]!.json.length;
    }
    const room = 3 * jsonLength + count * RECORD_OVERHEAD_BYTES;
    if (this.buffer.length < room) this.buffer = Buffer.allocUnsafe(room);
    const startSeq = this.writtenSeq;
    let end = 0;
    for (let i = first; i < first + count; i++) {
      const entry = this.entries[i]!;
      end = writeRecord(this.buffer, end, entry.seq, entry.json);
    }
    const segment = await this.activeSegment(startSeq, end);
    await this.writeFully(segment, end);
    segment.index.push({ seq: startSeq, offset: segment.bytes });
    segment.bytes += end;
    segment.newestMonoMs = performance.now();
    this.dirty = true;
    for (let seq = startSeq; seq < startSeq + count; seq++) this.markWritten(seq);
    this.evict();
  }

  /** Writes at the end of the known-good part, so what an earlier failure left behind is overwritten. */
  private async writeFully(segment: Segment, length: number): Promise<void> {
    let done = 0;
    try {
      while (done < length) {
        const { bytesWritten } = await this.file!.write(this.buffer, done, length - done, segment.bytes + done);
        done += bytesWritten;
      }
    } catch (error) {
      await this.file?.truncate(segment.bytes).catch(() => undefined);
      throw error;
    }
  }

  private async activeSegment(firstSeq: number, addBytes: number): Promise<Segment> {
    const last = this.segments.at(-1);
    const fits = last !== undefined && (last.bytes === 0 || last.bytes + addBytes <= this.options.segmentBytes);
    if (this.file && last && fits) return last;
    await this.closeFile();
    if (last && fits) {
      this.file = await open(last.path, 'r+');
      return last;
    }
    const path = join(this.options.dir, segmentName(this.name, firstSeq));
    this.file = await open(path, 'w', 0o640);
    const segment: Segment = { path, firstSeq, bytes: 0, newestMonoMs: performance.now(), index: [] };
    this.segments.push(segment);
    await syncDirectory(this.options.dir);
    return segment;
  }

  private markWritten(seq: number): void {
    const entry = this.entries[this.head + seq - this.memoryStart];
    if (entry) {
      this.pendingSize -= entry.json.length;
      entry.json = '';
    }
    this.writtenSeq = seq + 1;
  }

  private evict(): void {
    const readUpTo = this.options.readUpTo();
    for (;;) {
      const entry = this.entries[this.head];
      if (!entry || entry.seq >= this.writtenSeq) break;
      if (entry.seq >= readUpTo && this.heldBytes <= this.options.cacheBytes) break;
      this.heldBytes -= entry.size;
      this.head++;
    }
    if (this.head > 1024 && this.head * 2 > this.entries.length) {
      this.entries.splice(0, this.head);
      this.head = 0;
    }
  }
}
