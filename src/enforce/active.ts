import { parseCidr } from '../util/ip.js';
import { ExpiryQueue } from './expiry.js';
import type { KeptDecision } from './journal-record.js';

/** A decision in force. */
export interface ActiveDecision {
  kept: KeptDecision;
  simulated: boolean;
  /** Monotonic milliseconds; Infinity = until revoked. */
  deadlineMs: number;
  set: string;
  note: string | undefined;
  /** Simulated because the rate of change limit had tripped. */
  heldBack: boolean;
  applied: boolean;
  /** The list of the server that had it last. */
  list: symbol | undefined;
}

/** The decisions in force, by id, with what the guards count of them and when each ends. */
export class ActiveDecisions {
  private readonly byId = new Map<string, ActiveDecision>();
  private readonly expiry = new ExpiryQueue();
  private readonly quarantined = new Set<string>();
  private readonly single = new Set<string>();
  private counting = 0;
  private real = 0;
  private waiting = 0;

  get size(): number {
    return this.byId.size;
  }

  /** How many only count packets: simulated ones and watches. */
  get countingOnly(): number {
    return this.counting;
  }

  /** How many should be in force, not only simulated. */
  get desired(): number {
    return this.real;
  }

  /** How many of {@link desired} the kernel has not acknowledged yet. */
  get unapplied(): number {
    return this.waiting;
  }

  /** How many keep traffic from reaching an address. */
  get quarantines(): number {
    return this.quarantined.size;
  }

  get(id: string): ActiveDecision | undefined {
    return this.byId.get(id);
  }

  entries(): IterableIterator<[string, ActiveDecision]> {
    return this.byId.entries();
  }

  values(): IterableIterator<ActiveDecision> {
    return this.byId.values();
  }

  /** Ids of all but those of feeds, of which there may be a hundred thousand. */
  singleIds(): IterableIterator<string> {
    return this.single.values();
  }

  /** Takes one in, or in place of the one with its id. */
  put(entry: ActiveDecision): void {
    const { id } = entry.kept;
    const known = this.byId.get(id);
    if (known) this.count(known, -1);
    this.count(entry, 1);
    this.byId.set(id, entry);
    if (entry.kept.origin === 'feed') this.single.delete(id);
    else this.single.add(id);
    if (isQuarantine(entry.kept)) this.quarantined.add(id);
    this.expiry.push(id, entry.deadlineMs);
  }

  /** The kernel has what carries it out. */
  markApplied(entry: ActiveDecision): void {
    if (entry.applied) return;
    const isCurrent = this.byId.get(entry.kept.id) === entry;
    if (isCurrent) this.count(entry, -1);
    entry.applied = true;
    if (isCurrent) this.count(entry, 1);
  }

  remove(id: string): ActiveDecision | undefined {
    const entry = this.byId.get(id);
    if (entry) this.count(entry, -1);
    this.byId.delete(id);
    this.single.delete(id);
    this.quarantined.delete(id);
    return entry;
  }

  /** Takes out those whose time is over. @param nowMs monotonic milliseconds */
  *takeDue(nowMs: number): Generator<ActiveDecision> {
    for (const id of this.expiry.takeDue(nowMs)) {
      const entry = this.byId.get(id);
      // It may have been renewed since, or ended.
      if (entry && entry.deadlineMs <= nowMs) yield this.remove(id)!;
    }
  }

  clear(): void {
    this.byId.clear();
    this.single.clear();
    this.quarantined.clear();
    this.expiry.clear();
    this.counting = 0;
    this.real = 0;
    this.waiting = 0;
  }

  private count(entry: ActiveDecision, by: 1 | -1): void {
    if (onlyCounts(entry)) this.counting += by;
    if (entry.simulated) return;
    this.real += by;
    if (!entry.applied) this.waiting += by;
  }
}

function onlyCounts(entry: ActiveDecision): boolean {
  return entry.simulated || entry.kept.action === 'watch';
}

function isQuarantine(decision: KeptDecision): boolean {
  return decision.traffic !== 'from' && decision.action === 'block' && parseCidr(decision.value) !== undefined;
}
