import type { Direction, FlowColumns } from '../../domain/flow.js';
import type { DecodedPacket } from '../../domain/packet.js';
import { AddressTable, hashWords } from './address-table.js';
import type { FlowMoment } from './detector.js';

/**
 * The one table of sources that all detectors share, and what is known of each: whether it owns its address. Nothing is
 * remembered with the flow: most flows ask twice, and a column of as many entries as there are flows lies in no cache, while
 * the entries of the sources at hand do.
 */
export class Sources {
  readonly table: AddressTable;
  private readonly proven: Uint8Array;

  constructor(capacity: number) {
    this.table = new AddressTable(capacity);
    this.proven = new Uint8Array(this.table.capacity);
  }

  /** Entry of a flow's source. */
  ofFlow(flows: FlowColumns, slot: number, nowUs: number): number {
    return this.own(this.table.acquireAt(flows.srcAddr, slot, nowUs));
  }

  /** The same by a packet of the flow, which has the addresses at hand; the flow's columns may lie in no cache. */
  ofPacket(p: DecodedPacket, direction: Direction): number {
    return direction === 0
      ? this.of(p.src0, p.src1, p.src2, p.src3, p.tsUs)
      : this.of(p.dst0, p.dst1, p.dst2, p.dst3, p.tsUs);
  }

  /** The same at a moment, looked up once for all who ask. */
  ofMoment(at: FlowMoment): number {
    if (at.source < 0) at.source = this.lookUp(at);
    return at.source;
  }

  private lookUp({ flows, slot, nowUs, packet: p, direction, src }: FlowMoment): number {
    const { table } = this;
    const a = 4 * slot;
    const s = flows.srcAddr;
    const entry =
      p === undefined
        ? table.acquireTagged(src, s[a]! | 0, s[a + 1]! | 0, s[a + 2]! | 0, s[a + 3]! | 0, nowUs)
        : direction === 0
          ? table.acquireTagged(src, p.src0 | 0, p.src1 | 0, p.src2 | 0, p.src3 | 0, nowUs)
          : table.acquireTagged(src, p.dst0 | 0, p.dst1 | 0, p.dst2 | 0, p.dst3 | 0, nowUs);
    return this.own(entry);
  }

  of(w0: number, w1: number, w2: number, w3: number, nowUs: number): number {
    w0 |= 0;
    w1 |= 0;
    w2 |= 0;
    w3 |= 0;
    return this.own(this.table.acquireTagged(hashWords(w0, w1, w2, w3), w0, w1, w2, w3, nowUs));
  }

  /** What was known of the entry's former owner does not hold for a new one. */
  private own(index: number): number {
    if (this.table.inserted) this.proven[index] = 0;
    return index;
  }

  prove(index: number): void {
    this.proven[index] = 1;
    this.table.raise(index, 1);
  }

  /** True until the address completed a handshake with two-way data. */
  isSpoofable(index: number): boolean {
    return this.proven[index] === 0;
  }
}
