/** Direction of a packet within its flow: forward is from the flow's source, the sender of its first packet. */
export const FWD = 0;
export const BWD = 1;
export type Direction = 0 | 1;

/** TCP connection states as a middle box can know them. */
export const TCP_STATE = {
  NONE: 0,
  SYN_SENT: 1,
  SYN_RECEIVED: 2,
  ESTABLISHED: 3,
  CLOSING: 4,
  CLOSED: 5,
  RESET: 6,
  /** Picked up in mid-stream: no handshake was seen. */
  MIDSTREAM: 7,
} as const;

export const FLOW_END_REASONS = ['idle', 'active', 'closed', 'reset', 'evicted', 'shutdown'] as const;
export type FlowEndReason = (typeof FLOW_END_REASONS)[number];

/** A finished or snapshot flow as it is reported, stored and shown. Never made on the per-packet path. */
export interface FlowRecord {
  /** Identifies the flow on its sensor; below 2^53. */
  flowId: number;
  communityId: string;
  ipVersion: 4 | 6;
  proto: number;
  srcIp: string;
  srcPort: number;
  dstIp: string;
  dstPort: number;
  /** Microseconds since the epoch. */
  startUs: number;
  endUs: number;
  packetsFwd: number;
  packetsBwd: number;
  /** Bytes of IP packets. */
  bytesFwd: number;
  bytesBwd: number;
  payloadFwd: number;
  payloadBwd: number;
  /** OR of all TCP flags seen each way. */
  tcpFlagsFwd: number;
  tcpFlagsBwd: number;
  tcpState: number;
  endReason: FlowEndReason;
  vlan: number;
  interfaceId: number;
  /** ICMP type and code of the first packet, or -1. */
  icmpType: number;
  icmpCode: number;
  appProto?: string;
}

/**
 * Read access to the flow table's columns for stages that look at packets in their flow. `slot` indexes every
 * column and is valid until the flow's end is emitted. Columns may be replaced when the table grows: read them
 * from the table each time, or at the start of each call.
 */
export interface FlowColumns {
  readonly capacity: number;
  readonly flowId: Float64Array;
  readonly proto: Uint8Array;
  readonly ipVersion: Uint8Array;
  /** Four address words a slot: word w of slot s is at `4 * s + w`; IPv4 uses word 3. */
  readonly srcAddr: Uint32Array;
  readonly dstAddr: Uint32Array;
  readonly srcPort: Uint16Array;
  readonly dstPort: Uint16Array;
  readonly startUs: Float64Array;
  readonly lastUs: Float64Array;
  readonly packetsFwd: Uint32Array;
  readonly packetsBwd: Uint32Array;
  readonly bytesFwd: Float64Array;
  readonly bytesBwd: Float64Array;
  readonly payloadFwd: Float64Array;
  readonly payloadBwd: Float64Array;
  readonly tcpFlagsFwd: Uint8Array;
  readonly tcpFlagsBwd: Uint8Array;
  readonly tcpState: Uint8Array;
  /** Packets of a TCP flow up to and with the one that completed its handshake; 0 while that is not proven. */
  readonly handshakePackets: Uint32Array;
}
