import { UNKNOWN_LABEL } from '../../contract/model-card.js';
import type { EvidenceItem } from '../../domain/detection.js';
import { anomalyKnowledge } from '../anomaly/knowledge.js';
import { classKnowledge } from '../classify/knowledge.js';
import type { RowBatch } from './batch.js';
import type { LoadedBundle } from './bundle.js';
import { makeDetection } from './detection.js';
import { topFeatures } from './explain.js';
import type { BatchScores } from './messages.js';
import type { ScorerDeps } from './scorer.js';

/** Network Denial of Service. */
const FLOOD_TECHNIQUE = 'T1498';

/** Findings of each class that an offline run explains exactly: one takes tens of milliseconds, and a scan has thousands. */
const EXACT_PER_CLASS = 20;

/** Turns scores above a model's threshold into detections, at most so many a second of packet time for each model. */
export class Reporter {
  private detections = 0;
  private suppressed = 0;
  private bystanders = 0;
  private readonly exact = new Map<string, number>();
  private readonly windows = new Map<string, { second: number; count: number }>();
  private readonly deps: ScorerDeps;
  private readonly maxPerSec: number;
  private readonly clock: (() => number) | undefined;

  /** @param clock microseconds now, or undefined to use packet time. */
  constructor(deps: ScorerDeps, maxPerSec: number, clock: (() => number) | undefined) {
    this.deps = deps;
    this.maxPerSec = maxPerSec;
    this.clock = clock;
  }

  report(bundle: LoadedBundle, scores: BatchScores, batch: RowBatch): void {
    const { card } = bundle;
    for (let r = 0; r < batch.rows; r++) {
      const score = scores.score[r]!;
      // A score that is not a number reports nothing: the comparison is false.
      if (!(score >= card.threshold)) continue;
      const novelty = scores.novelty?.[r];
      const isUnknown =
        card.unknownThreshold !== undefined && novelty !== undefined && novelty >= card.unknownThreshold;
      const attackClass = scores.attackClass[r]!;
      const nearest = card.classes[attackClass] ?? 'attack';
      const label = isUnknown ? UNKNOWN_LABEL : nearest;
      const row = batch.row(r);
      // Also where a flow is `unknown`: what it is nearest to counts, and a flood may cut a customer's flow short in any way.
      const nearestKnowledge = classKnowledge(nearest);
      const mayBeFlood = card.tier === 'anomaly' || nearestKnowledge.attack?.techniqueId === FLOOD_TECHNIQUE;
      if (mayBeFlood && bundle.isBystander?.(row)) {
        this.bystanders++;
        continue;
      }
      const classified = isUnknown ? classKnowledge(UNKNOWN_LABEL) : nearestKnowledge;
      const knowledge = card.tier === 'anomaly' ? anomalyKnowledge(score, card.threshold) : classified;
      const context = batch.context(r);
      if (!this.admit(card.name, context.lastUs)) continue;
      this.detections++;
      this.deps.emit(
        makeDetection({
          card,
          context,
          row,
          score,
          label,
          novelty,
          evidence: this.explain(bundle, scores, r, row, attackClass),
          knowledge,
          detectedUs: this.clock?.() ?? context.lastUs,
          sensor: this.deps.sensor,
        }),
      );
    }
  }

  private explain(
    bundle: LoadedBundle,
    scores: BatchScores,
    r: number,
    row: Float32Array,
    attackClass: number,
  ): EvidenceItem[] {
    const { card, explainer } = bundle;
    if (explainer) {
      const shares = new Float64Array(explainer.features);
      if (this.isExact(card.classes[attackClass])) explainer.shapley(row, attackClass - 1, shares);
      else explainer.contributions(row, attackClass - 1, shares);
      return topFeatures(card, row, shares, this.deps.windows);
    }
    const columns = row.length;
    return scores.shares
      ? topFeatures(card, row, scores.shares.subarray(r * columns, (r + 1) * columns), this.deps.windows)
      : [];
  }

  /** Offline there is time for the first of a class; live a detection must not wait for its reasons. */
  private isExact(attackClass = ''): boolean {
    if (this.deps.offline !== true) return false;
    const given = this.exact.get(attackClass) ?? 0;
    if (given < EXACT_PER_CLASS) this.exact.set(attackClass, given + 1);
    return given < EXACT_PER_CLASS;
  }

  private admit(model: string, packetUs: number): boolean {
    const second = Math.floor(packetUs / 1e6);
    const window = this.windows.get(model);
    if (!window || window.second !== second) {
      this.windows.set(model, { second, count: 1 });
      return true;
    }
    if (++window.count <= this.maxPerSec) return true;
    this.suppressed++;
    return false;
  }

  stats(): Record<string, number> {
    return {
      model_detections: this.detections,
      model_detections_suppressed: this.suppressed,
      model_bystanders: this.bystanders,
    };
  }
}
