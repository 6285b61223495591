import type { InlineDrop } from '../../contract/inline.js';
import { SIEM_EVENT_VERSION, type SiemDecisionEvent } from '../../domain/siem-event.js';

const NAME: Readonly<Record<number, string>> = { 1: 'ICMP', 6: 'TCP', 17: 'UDP', 58: 'ICMPv6', 132: 'SCTP' };

/** Packets stopped before they passed, as the SIEM gets them: a decision about a flow, with what it stopped. */
export function dropToSiemEvent(sensor: string, drop: InlineDrop): SiemDecisionEvent {
  const done = drop.simulated ? 'Would have stopped' : 'Stopped';
  const packets = `${drop.packets} ${NAME[drop.proto] ?? `protocol ${drop.proto}`} packet${drop.packets === 1 ? '' : 's'}`;
  const end = (ip: string, port: number): string =>
    port === 0 ? ip : ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
  return {
    version: SIEM_EVENT_VERSION,
    kind: 'decision',
    id: drop.id,
    tsMs: drop.lastMs,
    sensor,
    severity: drop.severity,
    message: `${done} ${packets} (${drop.bytes} bytes) of ${end(drop.srcIp, drop.srcPort)} to ${end(drop.dstIp, drop.dstPort)}: ${drop.title}`,
    op: drop.simulated ? 'simulated' : 'block',
    decisionId: drop.id,
    action: drop.verdict,
    scope: 'flow',
    target: drop.srcIp,
    proto: drop.proto,
    port: drop.dstPort,
    durationSecs: 0,
    expiresMs: drop.lastMs,
    ...(drop.policy === '' ? {} : { policy: drop.policy }),
    origin: 'policy',
    actor: 'inline',
    reason: drop.signatureId === 0 ? drop.title : `${drop.title} (${drop.gid}:${drop.signatureId})`,
    alertIds: [],
    outcome: 'success',
    hitPackets: drop.packets,
    hitBytes: drop.bytes,
    signature: drop.title,
    dst: { ip: drop.dstIp, ...(drop.dstPort > 0 ? { port: drop.dstPort } : {}) },
  };
}
