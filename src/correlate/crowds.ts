import type { Detection } from '../domain/detection.js';
import type { CorrelateOptions } from './options.js';

/** Unproved sources of one target that have an alert each; more of them are a crowd, whose alert is about the target. */
const MAX_SOURCES = 16;

interface Crowd {
  sources: Set<string>;
  atMs: number;
}

/**
 * What a model finds is about the flow's source. Where ever other sources, which may be forged, are found at one target and
 * no behaviour explains them, an alert each would bury the console and the SIEM: from the seventeenth on they are one alert
 * about the target. Bounded; the longest quiet goes first.
 */
export class Crowds {
  private readonly byTarget = new Map<string, Crowd>();
  private readonly options: CorrelateOptions;

  constructor(options: CorrelateOptions) {
    this.options = options;
  }

  /** The finding as it is to be counted: as it is, or about its target. */
  place(d: Detection, nowMs: number): Detection {
    const isModel = d.tier === 'classification' || d.tier === 'anomaly';
    if (!isModel || !d.spoofable) return d;
    const target = d.victim ?? d.dstIp;
    const crowd = this.of(target, nowMs);
    crowd.atMs = nowMs;
    if (crowd.sources.has(d.offender)) return d;
    if (crowd.sources.size < MAX_SOURCES) {
      crowd.sources.add(d.offender);
      return d;
    }
    return { ...d, victim: target, noBlock: true, metadata: { ...d.metadata, scope: ['target'] } };
  }

  private of(target: string, nowMs: number): Crowd {
    const found = this.byTarget.get(target);
    this.byTarget.delete(target);
    const isOver = !found || nowMs - found.atMs > this.options.explainSecs * 1000;
    const crowd = isOver ? { sources: new Set<string>(), atMs: nowMs } : found;
    if (this.byTarget.size >= this.options.maxOffenders) this.byTarget.delete(this.byTarget.keys().next().value!);
    this.byTarget.set(target, crowd);
    return crowd;
  }
}
