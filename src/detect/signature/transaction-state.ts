import type { Direction } from '../../domain/flow.js';
import type { TransactionGroup } from './group/transaction-group.js';

/** Nothing of a buffer was seen. */
export const UNSEEN = -1;

/** How far rules have come with one direction of a transaction. */
export class SideState {
  /** The rules this is about; begins again when they change. */
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

  side(direction: Direction, group: TransactionGroup): SideState {
    const known = this.sides[direction];
    if (known?.group === group) return known;
    return (this.sides[direction] = new SideState(group));
  }
}
