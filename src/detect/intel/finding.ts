import { TIER_GID, type AttackReference, type Detection, type EvidenceItem } from '../../domain/detection.js';
import { INDICATOR_TYPES, type IndicatorType } from '../../domain/indicator.js';
import type { FlowColumns } from '../../domain/flow.js';
import { formatIpWords } from '../../util/ip.js';
import { uuid7 } from '../../util/uuid7.js';
import type { TableEntry } from './table.js';

export interface IntelDeps {
  emit(detection: Detection): void;
  /** Name of this sensor in detections. */
  sensor: string;
  /** Microseconds since the epoch, for `detectedUs`; packet time unless given. */
  nowUs?: () => number;
}

/** A value that was seen and that feeds list. */
export interface Match {
  type: IndicatorType;
  /** What was seen. */
  value: string;
  /** Which end of the flow is held responsible. */
  offender: 'source' | 'destination';
  title: string;
  entry: TableEntry;
  spoofable: boolean;
  noBlock?: boolean;
  appProto?: string;
}

const LABELS: Readonly<Record<IndicatorType, string>> = {
  ip: 'listed_address',
  cidr: 'listed_address',
  domain: 'listed_name',
  url: 'listed_url',
  ja3: 'listed_fingerprint',
  ja4: 'listed_fingerprint',
  sha256: 'listed_fingerprint',
};
/** An inside host that talks to what feeds list may be taken over. */
const COMMAND_AND_CONTROL: AttackReference = {
  tacticId: 'TA0011',
  tacticName: 'Command and Control',
  techniqueId: 'T1071',
  techniqueName: 'Application Layer Protocol',
};
const SURE = 0.8;

/** A match in a flow as a detection (gid 5; the signature id is that of the indicator's type). */
export function toDetection(
  match: Match,
  flows: FlowColumns,
  slot: number,
  packetUs: number,
  deps: IntelDeps,
): Detection {
  const { type, value, entry, offender } = match;
  const src = addressOf(flows, slot, 'src');
  const dst = addressOf(flows, slot, 'dst');
  const isOutbound = offender === 'destination' || match.noBlock === true;
  const evidence: EvidenceItem[] = [
    { name: 'indicator', value, text: `${value} is listed as ${entry.label} by ${entry.feeds.join(', ')}` },
    { name: 'feeds', value: entry.feeds.join(', ') },
    { name: 'feed_confidence', value: entry.confidence },
  ];
  return {
    id: uuid7(Math.floor(packetUs / 1000)),
    tier: 'intel',
    gid: TIER_GID.intel,
    signatureId: INDICATOR_TYPES.indexOf(type) + 1,
    rev: 1,
    label: LABELS[type],
    title: match.title,
    category: 'Threat intelligence',
    severity: isOutbound || entry.confidence >= SURE ? 'high' : 'medium',
    score: entry.confidence,
    confidence: entry.confidence,
    offender: offender === 'source' ? src : dst,
    victim: offender === 'source' ? dst : src,
    spoofable: match.spoofable,
    ...(isOutbound ? { attack: COMMAND_AND_CONTROL } : {}),
    evidence,
    metadata: { feed: entry.feeds, intel_label: [entry.label] },
    flowId: flows.flowId[slot]!,
    ...(match.appProto === undefined ? {} : { appProto: match.appProto }),
    ...(match.noBlock === true ? { noBlock: true } : {}),
    srcIp: src,
    srcPort: flows.srcPort[slot]!,
    dstIp: dst,
    dstPort: flows.dstPort[slot]!,
    proto: flows.proto[slot]!,
    packetUs,
    detectedUs: deps.nowUs?.() ?? packetUs,
    sensor: deps.sensor,
  };
}

export function addressOf(flows: FlowColumns, slot: number, end: 'src' | 'dst'): string {
  const words = end === 'src' ? flows.srcAddr : flows.dstAddr;
  const at = 4 * slot;
  return formatIpWords(flows.ipVersion[slot]!, words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!);
}
