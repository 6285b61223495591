import type { Alert } from '../domain/alert.js';
import type { Detection } from '../domain/detection.js';
import { severityRank } from '../domain/severity.js';
import { addSupport, attest, copyAlert, mergeDetection, newAlert } from './merge.js';
import type { CorrelateOptions } from './options.js';

/** What the last update said, to decide whether the next is worth one. */
interface Told {
  atMs: number;
  tiers: number;
  severity: number;
  confidence: number;
  count: number;
  spoofable: boolean;
  noBlock: boolean;
}

/** What is known of the offender beyond this alert. */
export interface Background {
  tiers: Alert['tiers'];
  confidence: number;
  proved: boolean;
}

/** An alert that still grows. */
export class OpenAlert {
  readonly alert: Alert;
  latest: Detection;
  told: Told;
  private readonly options: CorrelateOptions;

  constructor(first: Detection, ids: { id: string; key: string; incidentId: string }, options: CorrelateOptions) {
    this.options = options;
    this.latest = first;
    this.alert = newAlert(first, ids, first.packetUs / 1000);
    this.told = this.now(0);
  }

  merge(d: Detection, background: Background): void {
    const { alert } = this;
    this.latest = d;
    const atMs = Math.round(d.packetUs / 1000);
    alert.firstMs = Math.min(alert.firstMs, atMs);
    mergeDetection(alert, d, atMs, this.options);
    alert.tiers = background.tiers;
    alert.confidence = background.confidence;
    alert.spoofable = !background.proved && alert.spoofable && d.spoofable;
  }

  /** Adds what another witness says of a packet that is counted already. */
  attest(d: Detection): void {
    attest(this.alert, d, this.options);
  }

  /** Adds a model's finding that this alert explains: it supports the alert and changes neither what it is nor how bad. */
  explain(d: Detection, background: Background): void {
    const { alert } = this;
    const atMs = Math.round(d.packetUs / 1000);
    alert.firstMs = Math.min(alert.firstMs, atMs);
    addSupport(alert, d, atMs, this.options);
    alert.tiers = background.tiers;
    alert.confidence = background.confidence;
    alert.spoofable = !background.proved && alert.spoofable;
  }

  /** Changes that may turn the verdict and therefore never wait: another tier, worse, surer, or the address proved itself. */
  isDecisive(): boolean {
    const { told, alert, options } = this;
    return (
      alert.tiers.length > told.tiers ||
      severityRank(alert.severity) > told.severity ||
      alert.confidence >= told.confidence + options.confidenceStep ||
      alert.spoofable !== told.spoofable ||
      alert.noBlock !== told.noBlock
    );
  }

  /** Whether it grew enough to be judged again, or what it tells of goes on after all this time. */
  isWorthUpdate(nowMs: number): boolean {
    const { told, options } = this;
    if (nowMs - told.atMs >= options.repeatSecs * 1000) return true;
    return this.isDecisive() || this.alert.count >= told.count * options.countFactor;
  }

  /** The alert as it is now, on its own. Remembers that it was told. */
  tell(nowMs: number): Alert {
    this.told = this.now(nowMs);
    return copyAlert(this.alert);
  }

  private now(atMs: number): Told {
    const { tiers, severity, confidence, count, spoofable, noBlock } = this.alert;
    return { atMs, tiers: tiers.length, severity: severityRank(severity), confidence, count, spoofable, noBlock };
  }
}
