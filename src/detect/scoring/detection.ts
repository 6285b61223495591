import { calibrate, isMeasured, UNKNOWN_LABEL, type ModelCard } from '../../contract/model-card.js';
import { TIER_GID, type Detection, type EvidenceItem } from '../../domain/detection.js';
import { minSeverity } from '../../domain/severity.js';
import { formatIpWords } from '../../util/ip.js';
import { uuid7 } from '../../util/uuid7.js';
import type { FlowContext } from './batch.js';
import type { Knowledge } from './knowledge.js';

/** Below this calibrated confidence a finding is worth a look at most, whatever its class would mean. */
const UNSURE = 0.05;

export interface DetectionParts {
  card: ModelCard;
  context: FlowContext;
  row: Float32Array;
  score: number;
  /** Class name, or `unknown`. */
  label: string;
  novelty: number | undefined;
  evidence: EvidenceItem[];
  knowledge: Knowledge;
  detectedUs: number;
  sensor: string;
}

/** A model's finding on one flow. */
export function makeDetection(parts: DetectionParts): Detection {
  const { card, context, label, knowledge } = parts;
  const confidence = calibrate(card.calibration, parts.score);
  const srcIp = formatIpWords(context.ipVersion, ...context.src);
  const dstIp = formatIpWords(context.ipVersion, ...context.dst);
  return {
    id: uuid7(),
    tier: card.tier,
    signatureId: signatureId(label),
    gid: TIER_GID[card.tier],
    rev: 1,
    label,
    title: knowledge.title,
    category: knowledge.category,
    severity: confidence < UNSURE ? minSeverity(knowledge.severity, 'low') : knowledge.severity,
    score: parts.score,
    confidence,
    srcIp,
    srcPort: context.srcPort,
    dstIp,
    dstPort: context.dstPort,
    proto: context.proto,
    offender: knowledge.offender === 'destination' ? dstIp : srcIp,
    victim: knowledge.offender === 'destination' ? srcIp : dstIp,
    spoofable: !context.isProven,
    ...(knowledge.attack ? { attack: knowledge.attack } : {}),
    evidence: [thresholdEvidence(parts), ...parts.evidence],
    metadata: {
      model: [card.name],
      model_id: [card.id],
      algorithm: [card.algorithm],
      moment: [context.moment],
    },
    flowId: context.flowId,
    packetUs: context.lastUs,
    detectedUs: parts.detectedUs,
    sensor: parts.sensor,
    features: { schema: card.schema.name, values: Array.from(parts.row) },
  };
}

function thresholdEvidence({ card, score, label, novelty }: DetectionParts): EvidenceItem {
  const limit = Number(card.threshold.toPrecision(3));
  const { metrics } = card;
  const falseAlarms = isMeasured(metrics, 'falsePositiveRate')
    ? ` (${Number((metrics.falsePositiveRate * 100).toPrecision(2))} % of held-out benign flows)`
    : '';
  const far =
    label === UNKNOWN_LABEL && novelty !== undefined ? `; unlike every known class (${novelty.toPrecision(3)})` : '';
  return {
    name: 'score',
    value: Number(score.toPrecision(4)),
    usual: `below ${limit}`,
    text: `score ${score.toPrecision(3)}, reported from ${limit}${falseAlarms}${far}`,
  };
}

/** A stable number below 2^20 for a class name (FNV-1a), so that one class keeps its id over all models. */
export function signatureId(label: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < label.length; i++) h = Math.imul(h ^ label.charCodeAt(i), 0x01000193) >>> 0;
  return (h >>> 12) ^ (h & 0xfffff) || 1;
}
