import type { FlowColumns, FlowEndReason, FlowRecord } from '../domain/flow.js';
import { PROTO } from '../domain/packet.js';
import { formatIpWords } from '../util/ip.js';
import { communityId } from './community-id.js';
import type { Columns } from './columns.js';

/** Community id of a flow of the table; costs a SHA-1. */
export function communityIdOf(columns: FlowColumns, slot: number): string {
  const c = columns as Columns;
  const at = 4 * slot;
  return communityId({
    ipVersion: c.ipVersion[slot] === 6 ? 6 : 4,
    proto: c.proto[slot]!,
    src: c.srcAddr.subarray(at, at + 4),
    dst: c.dstAddr.subarray(at, at + 4),
    srcPort: c.srcPort[slot]!,
    dstPort: c.dstPort[slot]!,
  });
}

/**
 * A flow as it is reported. Made only when somebody reads it: costs strings and a SHA-1.
 * @param columns the table's own columns, as its callbacks hand them over.
 */
export function toFlowRecord(columns: FlowColumns, slot: number, reason: FlowEndReason): FlowRecord {
  const c = columns as Columns;
  const at = 4 * slot;
  const ipVersion = c.ipVersion[slot] === 6 ? 6 : 4;
  const proto = c.proto[slot]!;
  const isIcmp = proto === PROTO.ICMP || proto === PROTO.ICMPV6;
  const src = c.srcAddr.subarray(at, at + 4);
  const dst = c.dstAddr.subarray(at, at + 4);
  const srcPort = c.srcPort[slot]!;
  const dstPort = c.dstPort[slot]!;
  return {
    flowId: c.flowId[slot]!,
    communityId: communityIdOf(c, slot),
    ipVersion,
    proto,
    srcIp: formatIpWords(ipVersion, src[0]!, src[1]!, src[2]!, src[3]!),
    srcPort: isIcmp ? 0 : srcPort,
    dstIp: formatIpWords(ipVersion, dst[0]!, dst[1]!, dst[2]!, dst[3]!),
    dstPort: isIcmp ? 0 : dstPort,
    startUs: c.startUs[slot]!,
    endUs: c.lastUs[slot]!,
    packetsFwd: c.packetsFwd[slot]!,
    packetsBwd: c.packetsBwd[slot]!,
    bytesFwd: c.bytesFwd[slot]!,
    bytesBwd: c.bytesBwd[slot]!,
    payloadFwd: c.payloadFwd[slot]!,
    payloadBwd: c.payloadBwd[slot]!,
    tcpFlagsFwd: c.tcpFlagsFwd[slot]!,
    tcpFlagsBwd: c.tcpFlagsBwd[slot]!,
    tcpState: c.tcpState[slot]!,
    endReason: reason,
    vlan: c.vlan[slot]!,
    interfaceId: c.interfaceId[slot]!,
    icmpType: c.icmpType[slot]!,
    icmpCode: c.icmpCode[slot]!,
  };
}
