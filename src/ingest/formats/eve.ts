import type { AttackReference } from '../../domain/detection.js';
import type { Severity } from '../../domain/severity.js';
import { address, clean, IGNORED, MALFORMED, port, protocol, slug, type Parsed } from '../finding.js';

const SEVERITY: readonly Severity[] = ['high', 'high', 'medium', 'low', 'info'];
type Json = Record<string, unknown>;
const asObject = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
const whole = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;

/** One line of Suricata's EVE JSON (7 and 8): alerts become findings. */
export function parseEve(line: string): Parsed {
  // Most lines of an EVE file are flows and protocol records: they need not be parsed to be left out.
  if (!/"event_type"\s*:\s*"alert"/.test(line)) return /"event_type"/.test(line) ? IGNORED : MALFORMED;
  let event: Json;
  try {
    event = asObject(JSON.parse(line));
  } catch {
    return MALFORMED;
  }
  if (event['event_type'] !== 'alert') return IGNORED;
  const alert = asObject(event['alert']);
  const metadata = asObject(alert['metadata']);
  // Our own events, read back from a file that we write: a circle.
  if (Array.isArray(metadata['event_uid'])) return IGNORED;
  const srcIp = address(event['src_ip']);
  const dstIp = address(event['dest_ip']);
  const signatureId = whole(alert['signature_id']);
  if (srcIp === undefined || dstIp === undefined || signatureId === undefined) return MALFORMED;
  const flow = asObject(event['flow']);
  const title = clean(alert['signature']) || `rule ${signatureId}`;
  const category = clean(alert['category']);
  const offender = address(asObject(alert['source'])['ip']);
  const attack = attackOf(metadata);
  const appProto = clean(event['app_proto'], 32);
  const communityId = clean(event['community_id'], 64);
  const flowId = whole(event['flow_id']);
  const action = clean(alert['action'], 16);
  const device = clean(event['host'], 64);
  const atMs = Date.parse(clean(event['timestamp'], 40).replace(/([+-]\d\d)(\d\d)$/, '$1:$2'));
  return {
    kind: 'finding',
    finding: {
      product: 'Suricata',
      gid: whole(alert['gid']) ?? 1,
      signatureId,
      rev: whole(alert['rev']) ?? 1,
      title,
      category,
      label: slug(category, 'signature'),
      severity: SEVERITY[whole(alert['severity']) ?? 3] ?? 'info',
      srcIp,
      srcPort: port(event['src_port']),
      dstIp,
      dstPort: port(event['dest_port']),
      proto: protocol(event['proto']),
      isEstablished: (whole(flow['pkts_toserver']) ?? 0) > 0 && (whole(flow['pkts_toclient']) ?? 0) > 0 && isTcp(event),
      ...(Number.isFinite(atMs) ? { atMs } : {}),
      ...(offender === undefined ? {} : { offender }),
      ...(action === '' ? {} : { action }),
      ...(flowId === undefined ? {} : { flowId }),
      ...(communityId === '' ? {} : { communityId }),
      ...(appProto === '' || appProto === 'failed' ? {} : { appProto }),
      ...(attack === undefined ? {} : { attack }),
      ...(device === '' ? {} : { device }),
    },
  };
}

/**
 * Packets both ways and an application protocol: somebody answered what was sent, and was answered. A SYN that was
 * answered has packets both ways too, and proves nothing.
 */
function isTcp(event: Json): boolean {
  const app = event['app_proto'];
  return event['proto'] === 'TCP' && typeof app === 'string' && app !== 'failed' && app !== '';
}

function attackOf(metadata: Json): AttackReference | undefined {
  const first = (key: string): string => {
    const value = metadata[key];
    return Array.isArray(value) ? clean(value[0], 80) : '';
  };
  const techniqueId = first('mitre_technique_id');
  if (!/^T\d{4}(\.\d{3})?$/.test(techniqueId)) return undefined;
  const tacticId = first('mitre_tactic_id');
  const tacticName = first('mitre_tactic_name').replaceAll('_', ' ');
  const hasTactic = /^TA\d{4}$/.test(tacticId) && tacticName !== '';
  const techniqueName = first('mitre_technique_name').replaceAll('_', ' ') || techniqueId;
  return { techniqueId, techniqueName, ...(hasTactic ? { tacticId, tacticName } : {}) };
}
