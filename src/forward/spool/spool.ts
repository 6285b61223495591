import { mkdir, statfs } from 'node:fs/promises';
import type { SiemEvent } from '../../domain/siem-event.js';
import { errorMessage } from '../../util/errors.js';
import type { Logger } from '../../util/logger.js';
import { cleanDeep, jsonLooksDirty } from '../text.js';
import { Consumer } from './consumer.js';
import { LANES, loadCursors, type Cursor, type LaneName } from './cursor.js';
import { Lane } from './lane.js';
import { lockSpool } from './lock.js';
import type { Segment } from './segment.js';
import { MAX_PAYLOAD_BYTES } from './record.js';
import { findInSpool, scanSpool, type Found } from './scan.js';

export interface SpoolOptions {
  dir: string;
  maxBytes: number;
  maxAgeSecs: number;
  segmentBytes: number;
  /** Group fsync; decisions are synced at once. */
  fsyncMs: number;
  /** Events held in memory while the disk is full. */
  pendingBytes: number;
  /** How long, and how much of, what everyone has confirmed is kept for a replay; 0 = not at all. */
  keepSecs?: number;
  keepBytes?: number;
  log: Logger;
}

const HOUSEKEEPING_MS = 1000;

/** Decisions, gaps and everything critical first; info and low last, and the first to be dropped. */
export function laneOf(event: SiemEvent): LaneName {
  if (event.kind === 'decision' || event.kind === 'gap' || event.severity === 'critical') return 'first';
  return event.kind === 'alert' && (event.severity === 'info' || event.severity === 'low') ? 'low' : 'normal';
}

export interface SpoolStats {
  appended: number;
  refused: number;
  droppedByLimit: number;
  bytes: number;
  pending: number;
  writeError: string;
}

/** The shared queue on disk between the events and their destinations. */
export class Spool {
  readonly dir: string;
  readonly log: Logger;
  readonly lanes: Record<LaneName, Lane>;
  private options: SpoolOptions;
  private readonly cursors: Map<string, Cursor | 'damaged'>;
  private readonly consumers: Set<Consumer>;
  private readonly listeners = new Set<() => void>();
  private readonly unlock: () => Promise<void>;
  private flushQueued = false;
  private syncTimer: NodeJS.Timeout | undefined;
  private readonly housekeeping: NodeJS.Timeout;
  private keeping: Promise<void> | undefined;
  private closed = false;
  private readonly counters = { appended: 0, refused: 0, droppedByLimit: 0 };

  private constructor(
    options: SpoolOptions,
    parts: {
      lanes: Record<LaneName, Lane>;
      cursors: Map<string, Cursor | 'damaged'>;
      consumers: Set<Consumer>;
      unlock: () => Promise<void>;
    },
  ) {
    this.options = options;
    this.dir = options.dir;
    this.log = options.log;
    this.lanes = parts.lanes;
    this.cursors = parts.cursors;
    this.consumers = parts.consumers;
    this.unlock = parts.unlock;
    this.housekeeping = setInterval(() => void this.keepHouse(), HOUSEKEEPING_MS);
    this.housekeeping.unref();
  }

  static async open(options: SpoolOptions): Promise<Spool> {
    await mkdir(options.dir, { recursive: true, mode: 0o750 });
    const unlock = await lockSpool(options.dir);
    try {
      const cursors = await loadCursors(options.dir);
      const consumers = new Set<Consumer>();
      const readUpTo = (name: LaneName): number => {
        let lowest = Infinity;
        for (const consumer of consumers) lowest = Math.min(lowest, consumer.nextOf(name));
        return lowest;
      };
      const openLane = (name: LaneName): Promise<Lane> => {
        let highest = 0;
        for (const cursor of cursors.values()) {
          if (cursor !== 'damaged') highest = Math.max(highest, cursor.position[name]);
        }
        return Lane.open({
          dir: options.dir,
          name,
          segmentBytes: options.segmentBytes,
          pendingBytes: name === 'first' ? options.pendingBytes / 2 : options.pendingBytes / 4,
          cacheBytes: options.pendingBytes / 8,
          readUpTo: () => readUpTo(name),
          minNextSeq: highest,
          log: options.log,
        });
      };
      const lanes = { first: await openLane('first'), normal: await openLane('normal'), low: await openLane('low') };
      return new Spool(options, { lanes, cursors, consumers, unlock });
    } catch (error) {
      await unlock();
      throw error;
    }
  }

  setLimits(limits: Partial<Omit<SpoolOptions, 'dir' | 'log'>>): void {
    this.options = { ...this.options, ...limits };
  }

  /** A destination's place: where it left off, or the present for a new one. */
  consumer(name: string): Consumer {
    const known = this.cursors.get(name);
    let cursor: Cursor;
    if (known === 'damaged') {
      this.log.warn({ destination: name }, 'spool: damaged cursor; everything spooled is sent again');
      const position = { first: this.oldest('first'), normal: this.oldest('normal'), low: this.oldest('low') };
      cursor = { position, since: position };
    } else {
      const now = { first: this.lanes.first.end, normal: this.lanes.normal.end, low: this.lanes.low.end };
      cursor = known ?? { position: now, since: now };
    }
    const consumer = new Consumer(this, name, cursor);
    this.consumers.add(consumer);
    void consumer.save();
    return consumer;
  }

  release(consumer: Consumer): void {
    this.consumers.delete(consumer);
    this.cursors.set(consumer.name, { position: { ...consumer.committed }, since: consumer.since });
  }

  /** Everything that is held now, confirmed or not. */
  scan(): AsyncGenerator<Found[]> {
    return scanSpool(this.lanes);
  }

  /** Events about an alert, a decision or an event. */
  find(id: string, limit: number): Promise<Found[]> {
    return findInSpool(this.lanes, id, limit);
  }

  onAppend(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Takes an event; never waits. @returns false when it was refused and counted. */
  append(event: SiemEvent): boolean {
    let json = JSON.stringify(event);
    let kept = event;
    if (jsonLooksDirty(json)) {
      kept = cleanDeep(event);
      json = JSON.stringify(kept);
    }
    const lane = laneOf(event);
    if (this.closed || json.length * 3 > MAX_PAYLOAD_BYTES || !this.lanes[lane].append(kept, json)) {
      this.counters.refused++;
      return false;
    }
    this.counters.appended++;
    this.queueFlush(lane === 'first');
    for (const listener of this.listeners) listener();
    return true;
  }

  stats(): SpoolStats {
    const lanes = Object.values(this.lanes);
    return {
      ...this.counters,
      bytes: this.bytes(),
      pending: lanes.reduce((sum, lane) => sum + lane.pending, 0),
      writeError: lanes.map((lane) => lane.writeError).find((message) => message !== '') ?? '',
    };
  }

  /** Everything accepted so far is on disk and synced when this resolves, unless the disk refuses it. */
  async flush(): Promise<void> {
    await Promise.all(Object.values(this.lanes).map((lane) => lane.flush()));
    await Promise.all(Object.values(this.lanes).map((lane) => lane.sync()));
  }

  async close(): Promise<void> {
    this.closed = true;
    clearInterval(this.housekeeping);
    clearTimeout(this.syncTimer);
    await this.keeping;
    for (const consumer of [...this.consumers]) await consumer.close();
    await Promise.all(Object.values(this.lanes).map((lane) => lane.close()));
    await this.unlock();
  }

  /** Removes what everyone has, then what is too old, then what does not fit; retries a failed write. */
  keepHouse(): Promise<void> {
    this.keeping ??= this.enforceLimits()
      .catch((error: unknown) => {
        this.log.warn({ error: errorMessage(error) }, 'spool: housekeeping failed');
      })
      .finally(() => {
        this.keeping = undefined;
      });
    return this.keeping;
  }

  private queueFlush(urgent: boolean): void {
    if (!this.flushQueued) {
      this.flushQueued = true;
      setImmediate(() => {
        this.flushQueued = false;
        for (const lane of Object.values(this.lanes)) {
          if (lane.pending === 0) continue;
          const done = lane.flush();
          if (lane === this.lanes.first) void done.then(() => lane.sync());
        }
      });
    }
    if (urgent) return;
    this.syncTimer ??= setTimeout(() => {
      this.syncTimer = undefined;
      for (const lane of Object.values(this.lanes)) void lane.sync();
    }, this.options.fsyncMs);
  }

  private oldest(lane: LaneName): number {
    return this.lanes[lane].segments[0]?.firstSeq ?? this.lanes[lane].memoryStart;
  }

  private bytes(): number {
    return Object.values(this.lanes).reduce((sum, lane) => sum + lane.bytes, 0);
  }

  private async enforceLimits(): Promise<void> {
    for (const name of LANES) {
      const lane = this.lanes[name];
      const confirmed = Math.min(lane.end, ...[...this.consumers].map((consumer) => consumer.committed[name]));
      if (lane.writeError !== '') lane.forget(confirmed);
      while (lane.segments.length > 0 && lane.segmentEnd(0) <= confirmed) {
        const onlyOne = lane.segments.length === 1;
        if (lane.writeError === '' && this.isKept(lane.segments[0]!)) break;
        if (onlyOne && lane.writeError === '' && lane.segments[0]!.bytes < this.options.segmentBytes) break;
        await lane.dropOldest();
      }
      await this.dropExpired(name);
      lane.settle();
    }
    await this.dropKeptOverLimit();
    await this.dropOverLimit();
    await Promise.all(Object.values(this.lanes).map((lane) => (lane.pending > 0 ? lane.flush() : undefined)));
  }

  /** Young enough to be kept for a replay although everyone has it. */
  private isKept(segment: Segment): boolean {
    return segment.newestMonoMs > performance.now() - (this.options.keepSecs ?? 0) * 1000;
  }

  /** What is kept for replays only: goes oldest first when it is too much, or when the spool needs its room. */
  private async dropKeptOverLimit(): Promise<void> {
    for (;;) {
      const kept = LANES.flatMap((name) => this.confirmedSegments(name).map((segment) => ({ name, segment })));
      const keptBytes = kept.reduce((sum, { segment }) => sum + segment.bytes, 0);
      if (keptBytes <= (this.options.keepBytes ?? 0) && this.bytes() <= this.options.maxBytes) return;
      const oldest = kept.toSorted((a, b) => a.segment.newestMonoMs - b.segment.newestMonoMs)[0];
      if (!oldest) return;
      await this.lanes[oldest.name].dropOldest();
    }
  }

  /** Whole segments that everyone has; the one being written is not among them. */
  private confirmedSegments(name: LaneName): Segment[] {
    const lane = this.lanes[name];
    const confirmed = Math.min(lane.end, ...[...this.consumers].map((consumer) => consumer.committed[name]));
    return lane.segments.filter((_, i) => i < lane.segments.length - 1 && lane.segmentEnd(i) <= confirmed);
  }

  private async dropExpired(name: LaneName): Promise<void> {
    const lane = this.lanes[name];
    const oldestAllowed = performance.now() - this.options.maxAgeSecs * 1000;
    while (lane.segments[0] && lane.segments[0].newestMonoMs < oldestAllowed) await this.drop(name, 'age');
  }

  /** The size limit takes low alerts first, then the others, never decisions. */
  private async dropOverLimit(): Promise<void> {
    for (const name of ['low', 'normal'] as const) {
      while (this.bytes() > this.options.maxBytes && this.lanes[name].segments.length > 0)
        await this.drop(name, 'size');
    }
  }

  private async drop(name: LaneName, limit: 'age' | 'size'): Promise<void> {
    const lane = this.lanes[name];
    const from = lane.segments[0]!.firstSeq;
    const events = lane.segmentEnd(0) - from;
    await lane.dropOldest();
    const unread = [...this.consumers].some((consumer) => consumer.committed[name] < from + events);
    if (!unread) return;
    this.counters.droppedByLimit += events;
    this.log.error({ lane: name, limit, events }, 'spool: limit reached; oldest events dropped');
  }
}

/** Free bytes on the file system of a directory. */
export async function freeBytes(dir: string): Promise<number> {
  const info = await statfs(dir);
  return info.bavail * info.bsize;
}
