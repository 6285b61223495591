import type { Direction, FlowColumns } from '../../domain/flow.js';
import { PROTO, type DecodedPacket } from '../../domain/packet.js';
import { hashWords, mix32 } from './address-table.js';
import { INSIDE, type FlowMoment } from './detector.js';

/** What is known of a contact: the columns that name both ends of a flow. */
export type Ends = Pick<FlowColumns, 'srcAddr' | 'dstAddr' | 'ipVersion' | 'proto' | 'dstPort'>;

/** What a contact was, as bits of `kind`. */
export const CONTACT = {
  FROM_INSIDE: INSIDE.SOURCE,
  TO_INSIDE: INSIDE.DESTINATION,
  /** It came to nothing. */
  FAILED: 4,
} as const;

/**
 * Contacts that wait to be judged, as columns like the flow table's, which may have given the slot to another flow when
 * their turn comes.
 */
export class Contacts implements Ends {
  readonly capacity: number;
  count = 0;
  readonly flowId: Float64Array;
  readonly srcAddr: Uint32Array;
  readonly dstAddr: Uint32Array;
  readonly srcPort: Uint16Array;
  readonly dstPort: Uint16Array;
  readonly ipVersion: Uint8Array;
  readonly proto: Uint8Array;
  /** When the flow began. */
  readonly startUs: Float64Array;
  /** The packet that decided, as in FlowMoment. */
  readonly packetUs: Float64Array;
  readonly packetNumber: Float64Array;
  /** Bits of CONTACT. */
  readonly kind: Uint8Array;
  /** Hashes of the ends, of both together, and of these and the service; the last is never 0. */
  readonly src: Int32Array;
  readonly dst: Int32Array;
  readonly pair: Int32Array;
  readonly tag: Int32Array;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.flowId = new Float64Array(capacity);
    this.srcAddr = new Uint32Array(4 * capacity);
    this.dstAddr = new Uint32Array(4 * capacity);
    this.srcPort = new Uint16Array(capacity);
    this.dstPort = new Uint16Array(capacity);
    this.ipVersion = new Uint8Array(capacity);
    this.proto = new Uint8Array(capacity);
    this.startUs = new Float64Array(capacity);
    this.packetUs = new Float64Array(capacity);
    this.packetNumber = new Float64Array(capacity);
    this.kind = new Uint8Array(capacity);
    this.src = new Int32Array(capacity);
    this.dst = new Int32Array(capacity);
    this.pair = new Int32Array(capacity);
    this.tag = new Int32Array(capacity);
  }

  /** Adds a flow. @param kind bits of CONTACT. @returns true when there is no room for another. */
  add(at: FlowMoment, kind: number): boolean {
    const { flows, slot, packet, src, dst } = at;
    const i = this.count++;
    this.kind[i] = kind;
    if (packet !== undefined && hasPorts(packet)) this.fromPacket(i, packet, at.direction);
    else this.fromFlow(i, flows, slot);
    this.flowId[i] = flows.flowId[slot]!;
    this.startUs[i] = flows.startUs[slot]!;
    this.packetUs[i] = at.packetUs;
    this.packetNumber[i] = at.packetNumber;
    const pair = pairOf(src, dst);
    this.src[i] = src;
    this.dst[i] = dst;
    this.pair[i] = pair;
    this.tag[i] = tagOf(pair, serviceOf(this, i));
    return this.count === this.capacity;
  }

  /** The flow's columns lie in no cache by now; the packet does. */
  private fromPacket(i: number, p: DecodedPacket, direction: Direction): void {
    const isForward = direction === 0;
    const from = isForward ? this.srcAddr : this.dstAddr;
    const to = isForward ? this.dstAddr : this.srcAddr;
    const a = 4 * i;
    from[a] = p.src0;
    from[a + 1] = p.src1;
    from[a + 2] = p.src2;
    from[a + 3] = p.src3;
    to[a] = p.dst0;
    to[a + 1] = p.dst1;
    to[a + 2] = p.dst2;
    to[a + 3] = p.dst3;
    this.srcPort[i] = isForward ? p.srcPort : p.dstPort;
    this.dstPort[i] = isForward ? p.dstPort : p.srcPort;
    this.ipVersion[i] = p.ipVersion;
    this.proto[i] = p.proto;
  }

  private fromFlow(i: number, flows: FlowColumns, slot: number): void {
    for (let w = 0; w < 4; w++) {
      this.srcAddr[4 * i + w] = flows.srcAddr[4 * slot + w]!;
      this.dstAddr[4 * i + w] = flows.dstAddr[4 * slot + w]!;
    }
    this.srcPort[i] = flows.srcPort[slot]!;
    this.dstPort[i] = flows.dstPort[slot]!;
    this.ipVersion[i] = flows.ipVersion[slot]!;
    this.proto[i] = flows.proto[slot]!;
  }
}

function hasPorts(p: DecodedPacket): boolean {
  return p.proto === PROTO.TCP || p.proto === PROTO.UDP;
}

/** Hash of the address of a slot. */
export function hashAt(words: Uint32Array, slot: number): number {
  const a = 4 * slot;
  return hashWords(words[a]! | 0, words[a + 1]! | 0, words[a + 2]! | 0, words[a + 3]! | 0);
}

/** Hash of two hosts, of their hashes. */
export function pairOf(src: number, dst: number): number {
  return mix32(src ^ mix32(dst));
}

/** Hash of two hosts and a service; never 0. */
export function tagOf(pair: number, service: number): number {
  return mix32(pair ^ service) || 1;
}

/** Protocol and port of a flow's destination. */
export function serviceOf(flows: Ends, slot: number): number {
  return (flows.proto[slot]! << 16) | flows.dstPort[slot]!;
}
