import { SIEM_EVENT_VERSION, type SiemEvent } from '../domain/siem-event.js';
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

  constructor(sensor: string, append: (event: SiemEvent) => boolean) {
    this.sensor = sensor;
    this.append = append;
  }

  /** @param destination the one that lost them, or undefined when all did. */
  note(destination: string | undefined, dropped: number, cause: string, atMs: number): void {
    const key = `${cause} ${destination ?? ''}`;
    const gap = this.gaps.get(key);
    if (gap) {
      gap.dropped += dropped;
      gap.fromMs = Math.min(gap.fromMs, atMs);
      gap.toMs = Math.max(gap.toMs, atMs);
    } else {
      this.gaps.set(key, { destination, cause, dropped, fromMs: atMs, toMs: atMs });
    }
  }

  flush(): void {
    for (const [key, gap] of this.gaps) if (this.append(this.toEvent(gap))) this.gaps.delete(key);
  }

  private toEvent(gap: Gap): SiemEvent {
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
