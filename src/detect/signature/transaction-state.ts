import type { AppTransaction } from '../../domain/app-layer.js';
import type { Direction } from '../../domain/flow.js';
import type { TransactionGroup } from './group/transaction-group.js';

/** Nothing of a buffer was seen. */
export const UNSEEN = -1;

/** How far rules have come with one direction of a transaction. */
export class SideState {
  /** The rules this is about: a transaction is forgotten when they change. */
  readonly group: TransactionGroup;
  /** Bytes and values that were searched, by buffer of the group. */
  readonly seen: number[];
  /** Rules that may still match, in order. */
  readonly candidates: number[] = [];
  /** The transaction's progress at the last look. */
  progress = -1;
  /** Bytes of bodies at the last look. */
  grown = 0;
  /** Bytes of bodies when rules that wait for more of them were last tried. */
  tried = 0;
  finished = false;

  constructor(group: TransactionGroup) {
    this.group = group;
    this.seen = new Array<number>(group.buffers.length).fill(UNSEEN);
    this.candidates.push(...group.always);
  }

  add(id: number): boolean {
    const { candidates } = this;
    let at = candidates.length;
    while (at > 0 && candidates[at - 1]! > id) at--;
    if (at > 0 && candidates[at - 1] === id) return false;
    candidates.splice(at, 0, id);
    return true;
  }
}

/** How far rules have come with one transaction. */
export class TransactionState {
  readonly sides: [SideState | undefined, SideState | undefined] = [undefined, undefined];
  readonly finished: [boolean, boolean] = [false, false];
  #progress: Map<number, number> | undefined;

  /** Buffers of a rule that have matched, as bits; -1 when it is settled. */
  bitsOf(key: number): number {
    return this.#progress?.get(key) ?? 0;
  }

  setBits(key: number, bits: number): void {
    (this.#progress ??= new Map()).set(key, bits);
  }

  /** Begins with the rules of a direction. */
  open(direction: Direction, group: TransactionGroup): SideState {
    return (this.sides[direction] = new SideState(group));
  }
}

/** The transactions of one flow; most packets are about the same one as the packet before. */
export class TransactionStates {
  readonly #all = new Map<AppTransaction, TransactionState>();
  #last: AppTransaction | undefined;
  #lastState: TransactionState | undefined;

  get size(): number {
    return this.#all.size;
  }

  /** How far rules have come with the transaction; made when it is new. */
  of(transaction: AppTransaction): TransactionState {
    if (this.#last === transaction) return this.#lastState!;
    let state = this.#all.get(transaction);
    if (state === undefined) this.#all.set(transaction, (state = new TransactionState()));
    this.#last = transaction;
    this.#lastState = state;
    return state;
  }

  delete(transaction: AppTransaction): void {
    this.#all.delete(transaction);
    this.#last = this.#lastState = undefined;
  }

  clear(): void {
    this.#all.clear();
    this.#last = this.#lastState = undefined;
  }

  /** Forgets all but these. */
  keep(transactions: readonly AppTransaction[]): void {
    const kept = new Set(transactions);
    for (const transaction of this.#all.keys()) if (!kept.has(transaction)) this.delete(transaction);
  }
}
