import { SIEM_EVENT_VERSION, type SiemEvent, type SiemGapEvent } from '../domain/siem-event.js';
import { uuid7 } from '../util/uuid7.js';

interface Gap {
  destination: string | undefined;
  cause: string;
  dropped: number;
  fromMs: number;
  toMs: number;
}

/** Adds up what was lost and reports it as `gap` events as soon as the spool takes them. */
export class GapReporter {
  private readonly gaps = new Map<string, Gap>();
  private readonly sensor: string;
  private readonly append: (event: SiemEvent) => boolean;
  private readonly reported: (event: SiemGapEvent) => void;

  /** @param reported gets each gap event that the spool took. */
  constructor(
    sensor: string,
    append: (event: SiemEvent) => boolean,
    reported: (event: SiemGapEvent) => void = () => undefined,
  ) {
    this.sensor = sensor;
    this.append = append;
    this.reported = reported;
  }

  /** @param destination the one that lost them, or undefined when all did. Times are those of the events where known. */
  note(destination: string | undefined, dropped: number, cause: string, atMs: number, untilMs = atMs): void {
    const key = `${cause} ${destination ?? ''}`;
    const gap = this.gaps.get(key);
    if (gap) {
      gap.dropped += dropped;
      gap.fromMs = Math.min(gap.fromMs, atMs);
      gap.toMs = Math.max(gap.toMs, untilMs);
    } else {
      this.gaps.set(key, { destination, cause, dropped, fromMs: atMs, toMs: untilMs });
    }
  }

  flush(): void {
    for (const [key, gap] of this.gaps) {
      const event = this.toEvent(gap);
      if (!this.append(event)) continue;
      this.gaps.delete(key);
      this.reported(event);
    }
  }

  private toEvent(gap: Gap): SiemGapEvent {
    const { destination, cause, dropped, fromMs, toMs } = gap;
    return {
      version: SIEM_EVENT_VERSION,
      kind: 'gap',
      id: uuid7(),
      tsMs: toMs,
      sensor: this.sensor,
      severity: 'high',
      message: `${dropped} events lost${destination === undefined ? '' : ` for ${destination}`}: ${cause}`,
      ...(destination === undefined ? {} : { destination }),
      dropped,
      fromMs,
      toMs,
      cause,
    };
  }
}
