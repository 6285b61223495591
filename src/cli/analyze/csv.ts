import { csvCell } from '../../contract/csv.js';
import type { Detection } from '../../domain/detection.js';
import { eveTime } from './eve.js';
import { protoName } from './proto-names.js';

const COLUMNS = [
  'timestamp',
  'tier',
  'label',
  'title',
  'severity',
  'confidence',
  'offender',
  'victim',
  'src_ip',
  'src_port',
  'dest_ip',
  'dest_port',
  'proto',
  'community_id',
] as const;

export const CSV_HEADER = COLUMNS.join(',');

/** One detection as a CSV line. */
export function csvLine(d: Detection): string {
  const values: Record<(typeof COLUMNS)[number], string | number> = {
    timestamp: eveTime(d.packetUs),
    tier: d.tier,
    label: d.label,
    title: d.title,
    severity: d.severity,
    confidence: d.confidence.toFixed(4),
    offender: d.offender,
    victim: d.victim ?? '',
    src_ip: d.srcIp,
    src_port: d.srcPort,
    dest_ip: d.dstIp,
    dest_port: d.dstPort,
    proto: protoName(d.proto),
    community_id: d.communityId ?? '',
  };
  return COLUMNS.map((c) => csvCell(String(values[c]))).join(',');
}
