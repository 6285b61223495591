import { open, type FileHandle } from 'node:fs/promises';
import type { SiemEvent } from '../../domain/siem-event.js';
import type { Entry, Lane } from './lane.js';
import { checkRecord, findRecord, MAX_PAYLOAD_BYTES } from './record.js';
import type { Segment } from './segment.js';

export interface ReadResult {
  entries: Entry[];
  /** Events that should have come and are gone: retention, damage, a crash. */
  lost: number;
}

const CHUNK_BYTES = 256 * 1024;

/** Walks one lane from a sequence number onward, through disk and memory. One `read` at a time. */
export class LaneReader {
  /** Sequence number that comes next. */
  next: number;
  private readonly lane: Lane;
  private buffer = Buffer.allocUnsafe(0);
  private file: { handle: FileHandle; segment: Segment; offset: number } | undefined;

  constructor(lane: Lane, next: number) {
    this.lane = lane;
    this.next = next;
  }

  get hasMore(): boolean {
    return this.next < this.lane.end;
  }

  async read(maxEvents: number, maxBytes: number): Promise<ReadResult> {
    const result: ReadResult = { entries: [], lost: 0 };
    let bytes = 0;
    const take = (entry: Entry): boolean => {
      result.lost += entry.seq - this.next;
      this.next = entry.seq + 1;
      result.entries.push(entry);
      bytes += entry.size;
      return result.entries.length < maxEvents && bytes < maxBytes;
    };
    if (this.next < this.lane.memoryStart) {
      await this.readDisk(take);
      if (result.entries.length > 0) return result;
    }
    const start = this.lane.memoryStart;
    if (this.next < start) {
      result.lost += start - this.next;
      this.next = start;
    }
    await this.closeFile();
    for (let entry = this.lane.inMemory(this.next); entry; entry = this.lane.inMemory(this.next)) {
      if (!take(entry)) break;
    }
    return result;
  }

  /** Goes back (or on) to a sequence number. */
  async seek(seq: number): Promise<void> {
    this.next = seq;
    await this.closeFile();
  }

  async closeFile(): Promise<void> {
    const file = this.file;
    this.file = undefined;
    await file?.handle.close().catch(() => undefined);
  }

  /** A buffer for one chunk, used again: what is read from it is copied out as text. */
  private room(bytes: number): Buffer {
    if (this.buffer.length < bytes) this.buffer = Buffer.allocUnsafe(bytes);
    return this.buffer;
  }

  private async readDisk(take: (entry: Entry) => boolean): Promise<void> {
    let found = false;
    while (!found) {
      if (!this.file && !(await this.openSegment())) return;
      const file = this.file!;
      if (file.offset >= file.segment.bytes) {
        const index = this.lane.segments.indexOf(file.segment);
        const following = this.lane.segments[index + 1];
        await this.closeFile();
        if (index < 0) continue;
        if (!following || this.next >= this.lane.memoryStart) return;
        if (!(await this.openSegment(following))) continue;
        continue;
      }
      found = await this.readChunk(file, take);
    }
  }

  /** Opens the segment that holds `next`, or the one given; a segment removed meanwhile is passed over. */
  private async openSegment(wanted?: Segment): Promise<boolean> {
    const segments = this.lane.segments;
    let segment = wanted;
    if (!segment) {
      for (const candidate of segments) {
        if (candidate.firstSeq <= this.next || !segment) segment = candidate;
      }
    }
    if (!segment || segment.bytes === 0) return false;
    let offset = 0;
    for (const mark of segment.index) if (mark.seq <= this.next) offset = mark.offset;
    try {
      this.file = { handle: await open(segment.path, 'r'), segment, offset };
      return true;
    } catch {
      if (segments.includes(segment)) segments.splice(segments.indexOf(segment), 1);
      return segments.length > 0 ? this.openSegment() : false;
    }
  }

  /** Reads records from one chunk. @returns true when at least one was taken. */
  private async readChunk(
    file: { handle: FileHandle; segment: Segment; offset: number },
    take: (entry: Entry) => boolean,
  ): Promise<boolean> {
    let taken = false;
    for (let size = CHUNK_BYTES; ; size *= 4) {
      const want = Math.min(size, file.segment.bytes - file.offset);
      const buffer = this.room(want);
      const { bytesRead } = await file.handle.read(buffer, 0, want, file.offset);
      let at = 0;
      while (at < bytesRead) {
        const record = checkRecord(buffer, at, bytesRead);
        if (record.kind === 'short') break;
        if (record.kind === 'bad') {
          const later = findRecord(buffer, at + 1, bytesRead);
          at = later < 0 ? bytesRead : later;
          continue;
        }
        at = record.next;
        if (record.seq < this.next) continue;
        taken = true;
        const event = JSON.parse(buffer.toString('utf8', record.payloadStart, record.payloadEnd)) as SiemEvent;
        if (!take({ seq: record.seq, event, size: record.payloadEnd - record.payloadStart })) break;
      }
      file.offset += at;
      if (at > 0) return taken;
      if (want >= file.segment.bytes - file.offset || size > 2 * MAX_PAYLOAD_BYTES) {
        file.offset = file.segment.bytes;
        return taken;
      }
    }
  }
}
