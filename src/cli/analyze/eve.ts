import type { Decision } from '../../domain/decision.js';
import type { Detection } from '../../domain/detection.js';
import type { FlowRecord } from '../../domain/flow.js';
import type { DecodedPacket } from '../../domain/packet.js';
import { parseIp } from '../../util/ip.js';
import { protoName } from './proto-names.js';

const EVE_SEVERITY = { critical: 1, high: 1, medium: 2, low: 3, info: 3 } as const;
const FLOW_STATES: Readonly<Record<string, string>> = { closed: 'closed', reset: 'closed' };
const SYN = 2;

export interface EveOptions {
  /** Add the number of the deciding packet. */
  packetCount: boolean;
}

/** `2026-01-02T03:04:05.678901+0000`: microseconds and an offset without colon, the only form Suricata's schema takes. */
export function eveTime(us: number): string {
  const whole = Math.floor(us);
  const micros = String(whole % 1_000_000).padStart(6, '0');
  return `${new Date(Math.floor(whole / 1000)).toISOString().slice(0, 19)}.${micros}+0000`;
}

/** IPv6 in eight groups of four digits, as Suricata writes it; IPv4 as it is. */
export function eveAddress(text: string): string {
  const ip = text.includes(':') ? parseIp(text) : undefined;
  if (ip === undefined) return text;
  // One that maps IPv4 is read as IPv4.
  const words = ip.version === 6 ? ip.words : [0, 0, 0xffff, ip.words[3]];
  return words
    .map((word) => (word >>> 0).toString(16).padStart(8, '0'))
    .map((digits) => `${digits.slice(0, 4)}:${digits.slice(4)}`)
    .join(':');
}

/** One detection as an EVE alert line. */
export function alertLine(d: Detection, options: EveOptions): string {
  const ports = d.proto === 6 || d.proto === 17 || d.proto === 132;
  return JSON.stringify({
    timestamp: eveTime(d.packetUs),
    ...(d.flowId === undefined ? {} : { flow_id: d.flowId }),
    ...(options.packetCount && d.packetNumber !== undefined ? { pcap_cnt: d.packetNumber } : {}),
    event_type: 'alert',
    src_ip: eveAddress(d.srcIp),
    ...(ports ? { src_port: d.srcPort } : {}),
    dest_ip: eveAddress(d.dstIp),
    ...(ports ? { dest_port: d.dstPort } : {}),
    ...(d.proto > 0 ? { proto: protoName(d.proto) } : {}),
    ...(d.appProto === undefined ? {} : { app_proto: d.appProto }),
    ...(d.communityId === undefined ? {} : { community_id: d.communityId }),
    alert: {
      action: 'allowed',
      gid: d.gid,
      signature_id: d.signatureId,
      rev: d.rev,
      signature: d.title,
      category: d.category,
      severity: EVE_SEVERITY[d.severity],
      metadata: alertMetadata(d),
    },
    ...evidenceField(d),
  });
}

/** All of it; of a signature what it matched and where: its text is in the rule file. */
function evidenceField(d: Detection): { evidence?: Detection['evidence'] } {
  if (d.tier !== 'signature') return { evidence: d.evidence };
  const matched = d.evidence.filter((e) => e.name.startsWith('matched_'));
  return matched.length === 0 ? {} : { evidence: matched.map(({ name, value }) => ({ name, value })) };
}

function alertMetadata(d: Detection): Record<string, string[]> {
  if (d.tier === 'signature') return d.metadata ?? {};
  return {
    ...d.metadata,
    tier: [d.tier],
    label: [d.label],
    score: [d.score.toFixed(4)],
    confidence: [d.confidence.toFixed(4)],
    spoofable: [String(d.spoofable)],
    ...(d.attack === undefined
      ? {}
      : { mitre_technique_id: [d.attack.techniqueId], mitre_technique_name: [d.attack.techniqueName] }),
  };
}

/** A packet that a rule's `tag` wants recorded, as an EVE packet line: base64 from the link layer on. */
export function packetLine(p: DecodedPacket, flow: { flowId?: number; src: string; dst: string }): string {
  const ports = p.proto === 6 || p.proto === 17 || p.proto === 132;
  return JSON.stringify({
    timestamp: eveTime(p.tsUs),
    ...(flow.flowId === undefined ? {} : { flow_id: flow.flowId }),
    event_type: 'packet',
    src_ip: eveAddress(flow.src),
    ...(ports ? { src_port: p.srcPort } : {}),
    dest_ip: eveAddress(flow.dst),
    ...(ports ? { dest_port: p.dstPort } : {}),
    proto: protoName(p.proto),
    packet: Buffer.from(p.data.subarray(p.frameOffset, p.frameOffset + p.capLen)).toString('base64'),
  });
}

/** One ended flow as an EVE flow line. */
export function flowLine(f: FlowRecord): string {
  const ports = f.proto === 6 || f.proto === 17 || f.proto === 132;
  return JSON.stringify({
    timestamp: eveTime(f.endUs),
    flow_id: f.flowId,
    event_type: 'flow',
    src_ip: eveAddress(f.srcIp),
    ...(ports ? { src_port: f.srcPort } : {}),
    dest_ip: eveAddress(f.dstIp),
    ...(ports ? { dest_port: f.dstPort } : {}),
    proto: protoName(f.proto),
    ...(f.icmpType >= 0 ? { icmp_type: f.icmpType, icmp_code: f.icmpCode } : {}),
    ...(f.appProto === undefined ? {} : { app_proto: f.appProto }),
    community_id: f.communityId,
    flow: {
      pkts_toserver: f.packetsFwd,
      pkts_toclient: f.packetsBwd,
      bytes_toserver: f.bytesFwd,
      bytes_toclient: f.bytesBwd,
      start: eveTime(f.startUs),
      end: eveTime(f.endUs),
      age: Math.floor((f.endUs - f.startUs) / 1e6),
      state: FLOW_STATES[f.endReason] ?? ((f.tcpFlagsBwd & SYN) !== 0 || f.packetsBwd > 0 ? 'established' : 'new'),
      reason: f.endReason === 'idle' ? 'timeout' : f.endReason,
      alerted: false,
    },
  });
}

/** What a policy would have done, as an EVE line of our own type. */
export function decisionLine(d: Decision): string {
  return JSON.stringify({
    timestamp: eveTime(d.createdMs * 1000),
    event_type: 'decision',
    src_ip: d.value.split('/')[0],
    decision: {
      action: d.action,
      scope: d.scope,
      value: d.value,
      ...(d.port === undefined ? {} : { proto: protoName(d.proto ?? 0), port: d.port }),
      duration_secs: d.durationSecs,
      policy: d.policy,
      step: d.step,
      simulated: true,
      reason: d.reason,
      alert_ids: d.alertIds,
    },
  });
}

/** Something wrong with a packet stream: decoding problems counted at the end. */
export function statsLine(us: number, stats: Record<string, number>): string {
  return JSON.stringify({ timestamp: eveTime(us), event_type: 'stats', stats });
}
