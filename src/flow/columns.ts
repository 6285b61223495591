import type { FlowColumns } from '../domain/flow.js';

export const SHAPE_VERSION = 0x0f;
export const SHAPE_SWAPPED = 0x10;

/**
 * The flow table's memory: one typed array per property, indexed by slot. The system hands out zeroed pages on first
 * use, so a large table costs only what its flows touched. `declare` keeps the compiler from first defining each field as
 * undefined, which would hide its type from the optimising compiler.
 */
export class Columns implements FlowColumns {
  declare readonly capacity: number;
  declare readonly flowId: Float64Array;
  declare readonly proto: Uint8Array;
  declare readonly ipVersion: Uint8Array;
  declare readonly srcAddr: Uint32Array;
  declare readonly dstAddr: Uint32Array;
  declare readonly srcPort: Uint16Array;
  declare readonly dstPort: Uint16Array;
  declare readonly startUs: Float64Array;
  declare readonly lastUs: Float64Array;
  declare readonly packetsFwd: Uint32Array;
  declare readonly packetsBwd: Uint32Array;
  declare readonly bytesFwd: Float64Array;
  declare readonly bytesBwd: Float64Array;
  declare readonly payloadFwd: Float64Array;
  declare readonly payloadBwd: Float64Array;
  declare readonly tcpFlagsFwd: Uint8Array;
  declare readonly tcpFlagsBwd: Uint8Array;
  declare readonly tcpState: Uint8Array;
  declare readonly handshakePackets: Uint32Array;
  /** Four key words a slot: canonical endpoints (folded for IPv6), ports, protocol with VLANs. */
  declare readonly key: Int32Array;
  /** IP version, and SHAPE_SWAPPED when the flow's source is the second endpoint of its key: direction in one byte. */
  declare readonly shape: Uint8Array;
  declare readonly hash: Int32Array;
  /** 1 while the slot holds a flow. */
  declare readonly used: Uint8Array;
  /** Sequence number the server's data begins with, learnt from its SYN+ACK. */
  declare readonly serverSeq: Uint32Array;
  /** Bit 0: FIN seen forward, bit 1: backward. */
  declare readonly fins: Uint8Array;
  declare readonly vlan: Uint16Array;
  declare readonly interfaceId: Uint8Array;
  /** Interface that each direction is counted on, forward at 2 * slot, backward after it; -1 before its first packet. */
  declare readonly via: Int16Array;
  declare readonly icmpType: Int16Array;
  declare readonly icmpCode: Int16Array;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.flowId = new Float64Array(capacity);
    this.proto = new Uint8Array(capacity);
    this.ipVersion = new Uint8Array(capacity);
    this.srcAddr = new Uint32Array(4 * capacity);
    this.dstAddr = new Uint32Array(4 * capacity);
    this.srcPort = new Uint16Array(capacity);
    this.dstPort = new Uint16Array(capacity);
    this.startUs = new Float64Array(capacity);
    this.lastUs = new Float64Array(capacity);
    this.packetsFwd = new Uint32Array(capacity);
    this.packetsBwd = new Uint32Array(capacity);
    this.bytesFwd = new Float64Array(capacity);
    this.bytesBwd = new Float64Array(capacity);
    this.payloadFwd = new Float64Array(capacity);
    this.payloadBwd = new Float64Array(capacity);
    this.tcpFlagsFwd = new Uint8Array(capacity);
    this.tcpFlagsBwd = new Uint8Array(capacity);
    this.tcpState = new Uint8Array(capacity);
    this.handshakePackets = new Uint32Array(capacity);
    this.key = new Int32Array(4 * capacity);
    this.shape = new Uint8Array(capacity);
    this.hash = new Int32Array(capacity);
    this.used = new Uint8Array(capacity);
    this.serverSeq = new Uint32Array(capacity);
    this.fins = new Uint8Array(capacity);
    this.vlan = new Uint16Array(capacity);
    this.interfaceId = new Uint8Array(capacity);
    this.via = new Int16Array(2 * capacity);
    this.icmpType = new Int16Array(capacity);
    this.icmpCode = new Int16Array(capacity);
  }
}
