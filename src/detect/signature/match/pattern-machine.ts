import { OP, WIDTH, type PatternProgram } from './pattern-program.js';

/** What searches may still cost: a step is an instruction, about 5 ns. */
export interface Steps {
  left: number;
}

export interface SearchRange {
  /** Where the text begins within the data. */
  base: number;
  /** First and last position where a match may begin. */
  from: number;
  to: number;
}

/** Bits for what has failed already, of one search: 8 MiB. */
const MAX_BITS = 2 ** 26;
/** Repeats with rounds that may match nothing, up to which what has failed is remembered. */
const MAX_ROUNDS = 4;
/** Numbers on the stack: 16 MiB. */
const MAX_STACK = 2 ** 22;
/** Numbers of each that are kept for the next search: 256 KiB. */
const KEPT = 2 ** 16;
/** Entries of the stack that are no place to go back to. */
const UNDO_GROUP = -1;
const UNDO_ROUND = -2;
const ENTRY = 3;

/** What a run says instead of where it has ended. */
const FAILED = -1;
const SPENT = -2;

const NOTHING = new Uint8Array(0);
const WORD = Uint8Array.from({ length: 256 }, (_, code) => (/\w/.test(String.fromCharCode(code)) ? 1 : 0));

/**
 * Runs programs over bytes with the answers of JavaScript's regular expressions, in steps that are counted. Without
 * back-references each instruction is tried once at each position, so that the time grows with the text and not faster.
 */
export class PatternMachine {
  readonly #minSteps: number;
  #code: Int32Array = new Int32Array(0);
  #sets: Uint8Array = NOTHING;
  #fold: Uint8Array = NOTHING;
  #data: Uint8Array = NOTHING;
  #base = 0;
  #low = 0;
  #steps = 0;
  #groups = new Int32Array(0);
  #rounds = new Int32Array(0);
  #roundCount = 0;
  #stack = new Int32Array(KEPT);
  #top = 0;
  #failed = new Int32Array(KEPT);
  #remembers = false;
  /** Steps left below which it is worth while to remember what has failed, and the bits for it. */
  #rememberBelow = -1;
  #bits = 0;
  /** What was marked as failed within a look, until it is known that it has. */
  readonly #marked: number[] = [];
  #depth = 0;

  /** @param minSteps steps of a search before it remembers what has failed. */
  constructor(minSteps = 256) {
    this.#minSteps = minSteps;
  }

  /**
   * Looks for the first match.
   * @returns begin and end of each group, -1 where it has none, until the next search; null when there is none; undefined when
   * the steps did not suffice.
   */
  search(program: PatternProgram, data: Uint8Array, range: SearchRange, steps: Steps): Int32Array | null | undefined {
    this.#prepare(program, data, range, steps.left);
    const outcome = this.#firstMatch(program, range);
    steps.left = Math.max(0, this.#steps);
    this.#data = NOTHING;
    if (this.#stack.length > KEPT) this.#stack = new Int32Array(KEPT);
    if (this.#failed.length > KEPT) this.#failed = new Int32Array(KEPT);
    if (outcome === SPENT) return undefined;
    return outcome === FAILED ? null : this.#groups;
  }

  #prepare(program: PatternProgram, data: Uint8Array, { base, from }: SearchRange, steps: number): void {
    this.#code = program.code;
    this.#sets = program.sets;
    this.#fold = program.fold;
    this.#data = data;
    this.#base = base;
    this.#low = Math.max(base, from - program.context);
    this.#steps = steps;
    this.#groups = new Int32Array(program.groups * 2 + 2).fill(-1);
    this.#rounds = new Int32Array(program.rounds).fill(-1);
    this.#roundCount = program.rounds;
    this.#top = 0;
    this.#marked.length = 0;
    this.#depth = 0;
    this.#remembers = false;
    this.#bits = program.splits * (data.length - this.#low + 1) * 2 ** program.rounds;
    const isPossible = program.isRegular && program.rounds <= MAX_ROUNDS && this.#bits <= MAX_BITS;
    this.#rememberBelow = isPossible ? steps - Math.max(this.#minSteps, this.#bits / 32) : -1;
  }

  /** From now on what fails is remembered. */
  #remember(): void {
    const words = Math.ceil(this.#bits / 32);
    if (this.#failed.length < words) this.#failed = new Int32Array(words);
    else this.#failed.fill(0, 0, words);
    this.#remembers = true;
    this.#steps -= words >>> 4;
  }

  #firstMatch({ first, isAnchored }: PatternProgram, { base, from, to }: SearchRange): number {
    const data = this.#data;
    const last = Math.min(isAnchored ? base : to, first ? data.length - 1 : data.length);
    for (let at = from; at <= last; at++) {
      if (first) {
        const begin = at;
        while (at <= last && first[data[at]!] === 0) at++;
        this.#steps -= (at - begin) >>> 2;
        if (at > last) break;
      }
      const end = this.#run(0, at);
      if (end === FAILED) continue;
      this.#groups[0] = at;
      this.#groups[1] = end;
      return end;
    }
    return FAILED;
  }

  /** Runs from an instruction to the next `match`; where that is in the data, `FAILED` or `SPENT`. */
  #run(start: number, from: number): number {
    const code = this.#code;
    const sets = this.#sets;
    const data = this.#data;
    const bottom = this.#top;
    const marks = this.#marked.length;
    let pc = start;
    let at = from;
    this.#depth++;
    for (;;) {
      if (--this.#steps < 0) return SPENT;
      const a = code[pc + 1]!;
      switch (code[pc]) {
        case OP.set:
          at = at < data.length && sets[a + data[at]!] === 1 ? at + 1 : FAILED;
          break;
        case OP.setBefore:
          at = at > this.#base && sets[a + data[at - 1]!] === 1 ? at - 1 : FAILED;
          break;
        case OP.split:
          if (this.#steps < this.#rememberBelow && this.#isKnown(code[pc + 3]!, at)) at = FAILED;
          else if (!this.#push(code[pc + 2]!, at, 0)) return SPENT;
          else {
            pc = a;
            continue;
          }
          break;
        case OP.jump:
          pc = a;
          continue;
        case OP.match:
          this.#keep(bottom, marks);
          return at;
        case OP.look:
          at = this.#look(pc, at);
          if (at === SPENT) return SPENT;
          if (at >= 0) pc = a - WIDTH;
          break;
        case OP.atomic:
          at = this.#run(pc + WIDTH, at);
          if (at === SPENT) return SPENT;
          if (at >= 0) pc = a - WIDTH;
          break;
        default:
          at = this.#simple(pc, at);
          if (at === SPENT) return SPENT;
      }
      pc += WIDTH;
      while (at === FAILED) {
        if (this.#top === bottom) {
          this.#depth--;
          return FAILED;
        }
        this.#top -= ENTRY;
        const stack = this.#stack;
        pc = stack[this.#top]!;
        if (pc >= 0) at = stack[this.#top + 1]!;
        else this.#undo(this.#top);
      }
    }
  }

  /** An instruction that cannot be gone back to: the position behind it, `FAILED` or `SPENT`. */
  #simple(pc: number, at: number): number {
    const a = this.#code[pc + 1]!;
    const b = this.#code[pc + 2]!;
    switch (this.#code[pc]) {
      case OP.save:
        return this.#setGroup(a, at) ? at : SPENT;
      case OP.forget:
        for (let slot = a; slot <= b; slot++) if (!this.#setGroup(slot, -1)) return SPENT;
        return at;
      case OP.begin:
        if (!this.#push(UNDO_ROUND, a, this.#rounds[a]!)) return SPENT;
        this.#rounds[a] = at;
        return at;
      case OP.progress:
        return this.#rounds[a] === at ? FAILED : at;
      case OP.reference:
        return this.#again(a, at, b === 1);
      case OP.start:
        return at === this.#base ? at : FAILED;
      case OP.end:
        return at === this.#data.length ? at : FAILED;
      default:
        return this.#isEdge(at) === (this.#code[pc] === OP.edge) ? at : FAILED;
    }
  }

  #look(pc: number, at: number): number {
    const isAbsence = this.#code[pc + 2] === 1;
    const top = this.#top;
    const end = this.#run(pc + WIDTH, at);
    if (end === SPENT) return SPENT;
    if (end !== FAILED && isAbsence) while (this.#top > top) this.#undo((this.#top -= ENTRY));
    return (end === FAILED) === isAbsence ? at : FAILED;
  }

  /** Was this place gone on from at this position, and in this round or another? If not, it is from now on. */
  #isKnown(split: number, at: number): boolean {
    if (!this.#remembers) this.#remember();
    let place = split;
    for (let round = 0; round < this.#roundCount; round++) place = place * 2 + (this.#rounds[round] === at ? 1 : 0);
    const bit = place * (this.#data.length - this.#low + 1) + at - this.#low;
    const mask = 1 << (bit & 31);
    const word = this.#failed[bit >>> 5]!;
    if ((word & mask) !== 0) return true;
    this.#failed[bit >>> 5] = word | mask;
    if (this.#depth > 1) this.#marked.push(bit);
    return false;
  }

  /** Behind a match: its places to go back to are given up, what undoes its groups stays, and what led here has not failed. */
  #keep(bottom: number, marks: number): void {
    this.#depth--;
    const stack = this.#stack;
    let top = bottom;
    for (let entry = bottom; entry < this.#top; entry += ENTRY) {
      if (stack[entry]! >= 0) continue;
      stack.copyWithin(top, entry, entry + ENTRY);
      top += ENTRY;
    }
    this.#top = top;
    for (let i = marks; i < this.#marked.length; i++) {
      const bit = this.#marked[i]!;
      this.#failed[bit >>> 5]! &= ~(1 << (bit & 31));
    }
    this.#marked.length = marks;
  }

  #push(pc: number, a: number, b: number): boolean {
    if (this.#top + ENTRY > this.#stack.length && !this.#grow()) return false;
    const stack = this.#stack;
    stack[this.#top++] = pc;
    stack[this.#top++] = a;
    stack[this.#top++] = b;
    return true;
  }

  #grow(): boolean {
    if (this.#stack.length >= MAX_STACK) return false;
    const grown = new Int32Array(this.#stack.length * 2);
    grown.set(this.#stack);
    this.#stack = grown;
    return true;
  }

  #undo(entry: number): void {
    const [kind, slot, old] = [this.#stack[entry], this.#stack[entry + 1]!, this.#stack[entry + 2]!];
    if (kind === UNDO_GROUP) this.#groups[slot] = old;
    else if (kind === UNDO_ROUND) this.#rounds[slot] = old;
  }

  #setGroup(slot: number, at: number): boolean {
    if (!this.#push(UNDO_GROUP, slot, this.#groups[slot]!)) return false;
    this.#groups[slot] = at;
    return true;
  }

  /** What a group has matched, once more; nothing when it has not. */
  #again(slot: number, at: number, before: boolean): number {
    const begin = this.#groups[slot]!;
    const end = this.#groups[slot + 1]!;
    if (begin < 0 || end < 0) return at;
    const length = end - begin;
    const from = before ? at - length : at;
    if (from < this.#base || from + length > this.#data.length) return FAILED;
    const fold = this.#fold;
    const data = this.#data;
    for (let i = 0; i < length; i++) if (fold[data[begin + i]!] !== fold[data[from + i]!]) return FAILED;
    this.#steps -= length >>> 2;
    return before ? from : at + length;
  }

  #isEdge(at: number): boolean {
    const data = this.#data;
    const before = at > this.#base ? WORD[data[at - 1]!]! : 0;
    const after = at < data.length ? WORD[data[at]!]! : 0;
    return before !== after;
  }
}
