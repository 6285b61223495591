import type { Detection, EvidenceItem } from '../domain/detection.js';
import { uuid7 } from '../util/uuid7.js';
import type { Finding } from './finding.js';

export interface Origin {
  /** Name of the source in the configuration. */
  source: string;
  /** Findings may lead to a block by policy. */
  mayBlock: boolean;
  /** Address of the sender, for syslog. */
  sender: string;
}

/**
 * A finding of another program as a detection for the same policies. It is never more certain than what the reporter can
 * know: without a conversation seen both ways the offender's address counts as forgeable.
 */
export function toDetection(finding: Finding, origin: Origin, nowMs: number): Detection {
  const atMs = Math.min(finding.atMs ?? nowMs, nowMs);
  const { flowId, communityId, appProto, attack, action, device } = finding;
  const offender = finding.offender ?? finding.srcIp;
  const evidence: EvidenceItem[] = [
    { name: 'reported_by', value: finding.product, text: `reported by ${finding.product} through ${origin.source}` },
  ];
  if (device !== undefined && device !== '') evidence.push({ name: 'reporter', value: device });
  if (origin.sender !== '') evidence.push({ name: 'sender', value: origin.sender });
  if (action !== undefined && action !== '') evidence.push({ name: 'reporter_action', value: action });
  return {
    id: uuid7(nowMs),
    tier: 'signature',
    signatureId: finding.signatureId,
    gid: finding.gid,
    rev: finding.rev,
    label: finding.label,
    title: finding.title,
    category: finding.category,
    severity: finding.severity,
    score: SCORE[finding.severity],
    confidence: SCORE[finding.severity],
    offender,
    victim: offender === finding.srcIp ? finding.dstIp : finding.srcIp,
    spoofable: !(finding.isEstablished && origin.mayBlock),
    evidence,
    metadata: { ingest_source: [origin.source], ingest_product: [finding.product] },
    packetUs: atMs * 1000,
    detectedUs: nowMs * 1000,
    sensor: `ingest:${origin.source}`,
    srcIp: finding.srcIp,
    srcPort: finding.srcPort,
    dstIp: finding.dstIp,
    dstPort: finding.dstPort,
    proto: finding.proto,
    ...(origin.mayBlock ? {} : { noBlock: true }),
    ...(attack === undefined ? {} : { attack }),
    ...(flowId === undefined ? {} : { flowId }),
    ...(communityId === undefined ? {} : { communityId }),
    ...(appProto === undefined ? {} : { appProto }),
  };
}

/** What a report of that severity is worth; the reporter's own rules say no probability. */
const SCORE = { info: 0.2, low: 0.4, medium: 0.6, high: 0.85, critical: 0.95 } as const;
