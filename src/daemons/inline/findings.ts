import type { Detection } from '../../domain/detection.js';
import { nowUs } from '../../util/clock.js';
import { stronger, type InlineJudge, type Ruling } from './judge.js';

/** A ruling and the finding that it is about. */
export interface Hit {
  ruling: Ruling;
  detection: Detection;
}

/** What the signatures said about the packet at hand, and what follows from it. */
export class Findings {
  private readonly judge: InlineJudge;
  private readonly emit: (detection: Detection) => void;
  private hit: Hit | undefined;
  private found: Detection[] = [];

  /** @param emit gets the findings that led to a ruling. */
  constructor(judge: InlineJudge, emit: (detection: Detection) => void) {
    this.judge = judge;
    this.emit = emit;
  }

  /** @param isQuiet it was reported before: only its verdict counts. */
  add(detection: Detection, isQuiet: boolean): void {
    const ruling = this.judge.rule(detection, detection.packetUs / 1000);
    if (ruling === undefined) return;
    if (!isQuiet) this.found.push(detection);
    if (this.hit === undefined || stronger(this.hit.ruling, ruling) === ruling) this.hit = { ruling, detection };
  }

  /** Before the next packet. */
  forget(): void {
    this.hit = undefined;
    if (this.found.length > 0) this.found = [];
  }

  /** The strongest ruling, taken out; what was found is reported with it. */
  take(): Hit | undefined {
    const { hit } = this;
    if (hit === undefined) return undefined;
    for (const detection of this.found) this.emit(asStopped(detection, hit.ruling));
    this.forget();
    return hit;
  }
}

/** The finding with what became of its packet as evidence. */
function asStopped(detection: Detection, { verdict, simulated, policy }: Ruling): Detection {
  const text = simulated ? `would have been stopped inline (${verdict})` : `stopped inline (${verdict})`;
  detection.metadata = { ...detection.metadata, inline_verdict: [simulated ? 'simulated' : verdict] };
  detection.evidence = [...detection.evidence, { name: 'inline', value: verdict, text: `${text} by policy ${policy}` }];
  detection.detectedUs = nowUs();
  return detection;
}
