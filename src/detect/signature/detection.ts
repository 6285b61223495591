import type { Detection, EvidenceItem } from '../../domain/detection.js';
import { PROTO } from '../../domain/packet.js';
import type { Severity } from '../../domain/severity.js';
import { uuid7 } from '../../util/uuid7.js';
import { isEstablished } from './header.js';
import type { Rule } from './rule.js';
import type { Scene } from './scene.js';
import type { Place } from './transactions.js';

const SEVERITIES: readonly Severity[] = ['high', 'high', 'medium', 'low'];
const SHOWN_BYTES = 128;
const RULE_CHARS = 4096;

export function toSeverity(priority: number): Severity {
  return SEVERITIES[priority] ?? 'info';
}

/** Printable ASCII as it is, everything else as `\xHH`. */
export function escapeBytes(data: Uint8Array): string {
  let out = '';
  for (const b of data)
    out += b >= 32 && b < 127 && b !== 92 ? String.fromCharCode(b) : `\\x${b.toString(16).padStart(2, '0')}`;
  return out;
}

/** Which end is held responsible: the one that is not the target; without a target the sender. */
function offenderOf(rule: Rule, scene: Scene): { offender: string; victim: string } {
  const [src, dst] = [scene.src(), scene.dst()];
  return rule.target === 'src' ? { offender: dst, victim: src } : { offender: src, victim: dst };
}

function evidenceOf(rule: Rule, place: Place | undefined): EvidenceItem[] {
  const evidence: EvidenceItem[] = [];
  if (place) {
    const bytes = escapeBytes(place.data.subarray(place.offset, place.offset + Math.min(SHOWN_BYTES, place.length)));
    evidence.push({
      name: 'matched_bytes',
      value: bytes,
      text: `${place.buffer} at byte ${place.offset}: ${bytes}`,
    });
    evidence.push({ name: 'matched_buffer', value: place.buffer });
    evidence.push({ name: 'matched_offset', value: place.offset, unit: 'bytes' });
  }
  evidence.push({ name: 'rule', value: rule.text.slice(0, RULE_CHARS) });
  evidence.push({ name: 'rule_location', value: `${rule.file}:${rule.line}` });
  if (rule.references.length > 0) evidence.push({ name: 'references', value: rule.references.join(' ') });
  return evidence;
}

/** Key in a detection's metadata of what its rule asks for beyond an alert: drop, reject. A policy may follow it. */
export const ACTION_KEY = 'rule_action';

/** What the flow speaks; `failed` when its bytes are of no protocol, as Suricata tells it. */
function appProtoOf({ app, proto, flowless }: Scene): { appProto?: string } {
  if (app === undefined) return proto === PROTO.UDP && !flowless ? { appProto: 'failed' } : {};
  if (app.proto !== undefined) return { appProto: app.proto };
  const [there, back] = app.sides.known;
  const isFailed = there === 'failed' && (back === 'failed' || proto === PROTO.UDP);
  return isFailed || (proto === PROTO.UDP && back === 'failed') ? { appProto: 'failed' } : {};
}

/** An alert of a rule as a detection. */
export function toDetection(
  rule: Rule,
  scene: Scene,
  place: Place | undefined,
  { sensor, action }: { sensor: string; action: string },
): Detection {
  const { flows, slot } = scene;
  const ported = scene.proto === PROTO.TCP || scene.proto === PROTO.UDP || scene.proto === PROTO.SCTP;
  return {
    id: uuid7(),
    tier: 'signature',
    signatureId: rule.signatureId,
    gid: rule.gid,
    rev: rule.rev,
    label: rule.classtype === '' ? 'signature' : rule.classtype,
    title: rule.message === '' ? `Signature ${rule.signatureId}` : rule.message,
    category: rule.category,
    severity: toSeverity(rule.priority),
    score: 1,
    confidence: 1,
    srcIp: scene.src(),
    srcPort: ported ? scene.port(true) : 0,
    dstIp: scene.dst(),
    dstPort: ported ? scene.port(false) : 0,
    proto: scene.proto,
    ...offenderOf(rule, scene),
    spoofable: rule.metadata['spoofable']?.[0] === 'yes' || !isEstablished(scene),
    ...(rule.attack === undefined ? {} : { attack: rule.attack }),
    evidence: evidenceOf(rule, place),
    metadata: action === 'alert' ? rule.metadata : { ...rule.metadata, [ACTION_KEY]: [action] },
    ...(flows && slot >= 0 ? { flowId: flows.flowId[slot]! } : {}),
    ...appProtoOf(scene),
    packetUs: scene.nowUs,
    detectedUs: scene.nowUs,
    ...(scene.packet ? { packetNumber: scene.packet.number } : {}),
    sensor,
  };
}
