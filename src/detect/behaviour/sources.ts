import type { FlowColumns } from '../../domain/flow.js';
import { AddressTable } from './address-table.js';

/** The one table of sources that all detectors share, and what is known of each: whether it owns its address. */
export class Sources {
  readonly table: AddressTable;
  private readonly proven: Uint8Array;

  constructor(capacity: number) {
    this.table = new AddressTable(capacity);
    this.proven = new Uint8Array(this.table.capacity);
  }

  /** Entry of a flow's source. */
  ofFlow(flows: FlowColumns, slot: number, nowUs: number): number {
    const at = 4 * slot;
    const a = flows.srcAddr;
    return this.of(a[at]!, a[at + 1]!, a[at + 2]!, a[at + 3]!, nowUs);
  }

  ofDestination(flows: FlowColumns, slot: number, nowUs: number): number {
    const at = 4 * slot;
    const a = flows.dstAddr;
    return this.of(a[at]!, a[at + 1]!, a[at + 2]!, a[at + 3]!, nowUs);
  }

  of(w0: number, w1: number, w2: number, w3: number, nowUs: number): number {
    const index = this.table.acquire(w0, w1, w2, w3, nowUs);
    if (this.table.inserted) this.proven[index] = 0;
    return index;
  }

  prove(index: number): void {
    this.proven[index] = 1;
    this.table.weight[index] = Math.max(1, this.table.weight[index]!);
  }

  /** True until the address completed a handshake with two-way data. */
  isSpoofable(index: number): boolean {
    return this.proven[index] === 0;
  }
}
