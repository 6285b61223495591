import type { FlowColumns } from '../../domain/flow.js';
import { AddressTable } from './address-table.js';
import { hashAt } from './contacts.js';
import { SlidingCounts } from './sliding-counts.js';

/** Pairs of hosts that are remembered: those with refused logins on open connections, or with a login that worked. */
const MAX_PAIRS = 4096;

/**
 * Refused logins of connections that are still open, by source and target: they are taken back when a login works, and where
 * one did in the window they wait for the connection's end. Connections to many targets do not add up, since whoever manages
 * many hosts begins with many at once.
 */
export class OpenRefusals {
  private readonly pairs = new AddressTable(MAX_PAIRS);
  private readonly counts: SlidingCounts;
  private readonly loginUs = new Float64Array(this.pairs.capacity);
  private readonly windowUs: number;

  constructor(windowSecs: number) {
    this.counts = new SlidingCounts(this.pairs, 1, windowSecs);
    this.windowUs = windowSecs * 1e6;
  }

  /** @param change how many more there are, or fewer. @returns how many count. */
  add(flows: FlowColumns, slot: number, change: number, nowUs: number): number {
    const pair = this.pairOf(flows, slot, nowUs);
    const open = this.counts.add(pair, 0, change, nowUs);
    return nowUs - this.loginUs[pair]! < this.windowUs ? 0 : Math.max(0, open);
  }

  loggedIn(flows: FlowColumns, slot: number, nowUs: number): void {
    this.loginUs[this.pairOf(flows, slot, nowUs)] = nowUs;
  }

  private pairOf({ srcAddr, dstAddr }: FlowColumns, slot: number, nowUs: number): number {
    const a = 4 * slot + 3;
    const pair = this.pairs.acquire(
      hashAt(srcAddr, slot),
      hashAt(dstAddr, slot),
      srcAddr[a]! | 0,
      dstAddr[a]! | 0,
      nowUs,
    );
    if (this.pairs.inserted) this.loginUs[pair] = -Infinity;
    return pair;
  }
}
