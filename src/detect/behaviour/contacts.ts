import type { FlowColumns } from '../../domain/flow.js';

/** What is known of a contact: the columns that name both ends of a flow. */
export type Ends = Pick<FlowColumns, 'srcAddr' | 'dstAddr' | 'ipVersion' | 'proto' | 'dstPort'>;

/**
 * Contacts that wait to be learned, as columns like the flow table's. Each look-up of one goes to four or five places of
 * large tables that are in no cache; taken many at once, the processor fetches the next ones meanwhile.
 */
export class Contacts implements Ends {
  readonly capacity: number;
  count = 0;
  readonly srcAddr: Uint32Array;
  readonly dstAddr: Uint32Array;
  readonly ipVersion: Uint8Array;
  readonly proto: Uint8Array;
  readonly dstPort: Uint16Array;
  readonly atUs: Float64Array;
  /** Hash of the contact and its day. */
  readonly tag: Uint32Array;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.srcAddr = new Uint32Array(4 * capacity);
    this.dstAddr = new Uint32Array(4 * capacity);
    this.ipVersion = new Uint8Array(capacity);
    this.proto = new Uint8Array(capacity);
    this.dstPort = new Uint16Array(capacity);
    this.atUs = new Float64Array(capacity);
    this.tag = new Uint32Array(capacity);
  }

  /** @returns true when there is no room for another. */
  add(flows: Ends, slot: number, tag: number, atUs: number): boolean {
    const i = this.count++;
    for (let w = 0; w < 4; w++) {
      this.srcAddr[4 * i + w] = flows.srcAddr[4 * slot + w]!;
      this.dstAddr[4 * i + w] = flows.dstAddr[4 * slot + w]!;
    }
    this.ipVersion[i] = flows.ipVersion[slot]!;
    this.proto[i] = flows.proto[slot]!;
    this.dstPort[i] = flows.dstPort[slot]!;
    this.atUs[i] = atUs;
    this.tag[i] = tag;
    return this.count === this.capacity;
  }
}
