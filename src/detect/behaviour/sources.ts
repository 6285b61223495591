import type { FlowColumns } from '../../domain/flow.js';
import { AddressTable } from './address-table.js';
import type { FlowMoment } from './detector.js';

/**
 * The one table of sources that all detectors share, and what is known of each: whether it owns its address. The entry of
 * a flow's source is remembered with the flow, so that it is looked up once a flow.
 */
export class Sources {
  readonly table: AddressTable;
  private readonly proven: Uint8Array;
  /** By flow slot: its source's entry + 1, 0 when unknown, and that entry's generation. */
  private remembered = new Int32Array(0);

  constructor(capacity: number) {
    this.table = new AddressTable(capacity);
    this.proven = new Uint8Array(this.table.capacity);
  }

  /** A flow began in the slot: whatever was remembered of it belongs to another. */
  begin(flows: FlowColumns, slot: number): void {
    if (2 * slot >= this.remembered.length) this.grow(flows.capacity);
    this.remembered[2 * slot] = 0;
  }

  /** Entry of a flow's source. */
  ofFlow(flows: FlowColumns, slot: number, nowUs: number): number {
    const known = this.known(slot, nowUs);
    if (known >= 0) return known;
    return this.remember(slot, this.own(this.table.acquireAt(flows.srcAddr, slot, nowUs)));
  }

  /** The same at a moment: the packet, if there is one, has the address at hand, and the flow's columns lie in no cache. */
  ofMoment({ flows, slot, nowUs, packet: p, direction }: FlowMoment): number {
    if (p === undefined) return this.ofFlow(flows, slot, nowUs);
    const known = this.known(slot, nowUs);
    if (known >= 0) return known;
    const entry =
      direction === 0 ? this.of(p.src0, p.src1, p.src2, p.src3, nowUs) : this.of(p.dst0, p.dst1, p.dst2, p.dst3, nowUs);
    return this.remember(slot, entry);
  }

  /** Entry that was remembered with the flow, if it is still its source's; else -1. */
  private known(slot: number, nowUs: number): number {
    const entry = this.remembered[2 * slot]! - 1;
    if (entry < 0 || this.table.generation(entry) !== this.remembered[2 * slot + 1]) return -1;
    this.table.touch(entry, nowUs);
    return entry;
  }

  private remember(slot: number, entry: number): number {
    this.remembered[2 * slot] = entry + 1;
    this.remembered[2 * slot + 1] = this.table.generation(entry);
    return entry;
  }

  of(w0: number, w1: number, w2: number, w3: number, nowUs: number): number {
    return this.own(this.table.acquire(w0 | 0, w1 | 0, w2 | 0, w3 | 0, nowUs));
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

  private grow(capacity: number): void {
    const bigger = new Int32Array(2 * capacity);
    bigger.set(this.remembered);
    this.remembered = bigger;
  }
}
