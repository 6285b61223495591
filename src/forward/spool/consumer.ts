import type { SiemEvent } from '../../domain/siem-event.js';
import { errorMessage } from '../../util/errors.js';
import type { Logger } from '../../util/logger.js';
import { LANES, saveCursor, type Cursor, type LaneName, type Position } from './cursor.js';
import type { Lane } from './lane.js';
import { LaneReader } from './lane-reader.js';

const SAVE_MS = 200;
const RETRY_MS = 1000;

/** What a consumer needs of the spool. */
export interface ConsumedSpool {
  dir: string;
  log: Logger;
  lanes: Record<LaneName, Lane>;
  release(consumer: Consumer): void;
}

/** A destination's place in the spool: reads ahead of what is confirmed, and goes back when delivery failed. */
export class Consumer {
  readonly name: string;
  /** Everything below is confirmed. */
  committed: Position;
  /** Where it began. */
  readonly since: Position;
  private readonly readers: Record<LaneName, LaneReader>;
  private readonly spool: ConsumedSpool;
  private saveTimer: NodeJS.Timeout | undefined;
  private saving: Promise<void> = Promise.resolve();
  private saved: string;

  constructor(spool: ConsumedSpool, name: string, { position, since }: Cursor) {
    this.spool = spool;
    this.name = name;
    this.committed = { ...position };
    this.since = { ...since };
    this.saved = '';
    this.readers = {
      first: new LaneReader(spool.lanes.first, position.first),
      normal: new LaneReader(spool.lanes.normal, position.normal),
      low: new LaneReader(spool.lanes.low, position.low),
    };
  }

  /** Where reading stands; commit it once everything read so far is confirmed. */
  position(): Position {
    return { first: this.readers.first.next, normal: this.readers.normal.next, low: this.readers.low.next };
  }

  /** Sequence number that is read next in a lane. */
  nextOf(lane: LaneName): number {
    return this.readers[lane].next;
  }

  /** The next events of the first of these lanes that has any. */
  async read(
    lanes: readonly LaneName[],
    maxEvents: number,
    maxBytes: number,
  ): Promise<{ events: SiemEvent[]; lost: number }> {
    let lost = 0;
    for (const lane of lanes) {
      const reader = this.readers[lane];
      if (!reader.hasMore) continue;
      const result = await reader.read(maxEvents, maxBytes);
      lost += result.lost;
      if (result.entries.length > 0) return { events: result.entries.map((entry) => entry.event), lost };
    }
    return { events: [], lost };
  }

  /** Events that were not read yet. */
  unread(lanes: readonly LaneName[] = LANES): number {
    return lanes.reduce((sum, lane) => sum + Math.max(0, this.spool.lanes[lane].end - this.readers[lane].next), 0);
  }

  /** Everything up to `position` is confirmed. */
  commit(position: Position): void {
    this.committed = { ...position };
    this.saveTimer ??= setTimeout(() => void this.save(), SAVE_MS);
  }

  /** Back to the last confirmed place. */
  async rewind(): Promise<void> {
    for (const lane of LANES) await this.readers[lane].seek(this.committed[lane]);
  }

  /** Events spooled and not confirmed. */
  backlog(): number {
    return LANES.reduce((sum, lane) => sum + this.spool.lanes[lane].end - this.committed[lane], 0);
  }

  /** Bytes on disk that cannot be removed before this destination confirms. */
  backlogBytes(): number {
    let bytes = 0;
    for (const name of LANES) {
      const lane = this.spool.lanes[name];
      lane.segments.forEach((segment, i) => {
        if (lane.segmentEnd(i) > this.committed[name]) bytes += segment.bytes;
      });
    }
    return bytes;
  }

  /** Writes the cursor to disk now. */
  save(): Promise<void> {
    clearTimeout(this.saveTimer);
    this.saveTimer = undefined;
    this.saving = this.saving.then(async () => {
      const text = JSON.stringify(this.committed);
      if (text === this.saved) return;
      try {
        await saveCursor(this.spool.dir, this.name, { position: this.committed, since: this.since });
        this.saved = text;
      } catch (error) {
        this.spool.log.warn({ destination: this.name, error: errorMessage(error) }, 'spool: cannot save the cursor');
        this.saveTimer ??= setTimeout(() => void this.save(), RETRY_MS);
      }
    });
    return this.saving;
  }

  async close(): Promise<void> {
    await this.save();
    clearTimeout(this.saveTimer);
    this.saveTimer = undefined;
    for (const lane of LANES) await this.readers[lane].closeFile();
    this.spool.release(this);
  }
}
