import type { FlowColumns } from '../domain/flow.js';

/**
 * The flow table's memory: one typed array per property, indexed by slot. The system hands out zeroed pages on first
 * use, so a large table costs only what its flows touched.
 */
export class Columns implements FlowColumns {
  readonly capacity: number;
  readonly flowId: Float64Array;
  readonly proto: Uint8Array;
  readonly ipVersion: Uint8Array;
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
  /** Four key words a slot: canonical endpoints (folded for IPv6), ports, protocol with VLANs. */
  readonly key: Int32Array;
  readonly hash: Int32Array;
  /** 1 while the slot holds a flow. */
  readonly used: Uint8Array;
  /** Sequence number the server's data begins with, learnt from its SYN+ACK. */
  readonly serverSeq: Uint32Array;
  /** Bit 0: FIN seen forward, bit 1: backward. */
  readonly fins: Uint8Array;
  readonly vlan: Uint16Array;
  readonly interfaceId: Uint8Array;
  readonly icmpType: Int16Array;
  readonly icmpCode: Int16Array;

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
    this.key = new Int32Array(4 * capacity);
    this.hash = new Int32Array(capacity);
    this.used = new Uint8Array(capacity);
    this.serverSeq = new Uint32Array(capacity);
    this.fins = new Uint8Array(capacity);
    this.vlan = new Uint16Array(capacity);
    this.interfaceId = new Uint8Array(capacity);
    this.icmpType = new Int16Array(capacity);
    this.icmpCode = new Int16Array(capacity);
  }
}
