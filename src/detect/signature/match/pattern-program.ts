import { contains, contextBytes, isAnchored, isNullable } from './pattern-facts.js';
import type { PatternNode, PatternTree } from './pattern-tree.js';

/** Instructions of a program: each is four numbers, the first one of these. */
export const OP = {
  /** Ends the program or the part of it that looks somewhere. */
  match: 0,
  /** One byte of a set. */
  set: 1,
  /** One byte of a set, before the position. */
  setBefore: 2,
  /** Goes on at the first place and, when that fails, at the second; the third number counts these instructions. */
  split: 3,
  jump: 4,
  /** Remembers the position as a group's begin or end. */
  save: 5,
  /** Forgets the groups from the first to the second. */
  forget: 6,
  /** Remembers where a round of a repeat begins. */
  begin: 7,
  /** Fails when the round has matched nothing. */
  progress: 8,
  /** Looks with what follows, and goes on at the first place; the second number is 1 for absence. */
  look: 9,
  /** Matches what follows, with no way back into it, and goes on at the first place. */
  atomic: 10,
  /** What a group has matched, once more; the second number is 1 before the position. */
  reference: 11,
  start: 12,
  end: 13,
  edge: 14,
  inside: 15,
} as const;

export const WIDTH = 4;
/** Instructions of one program; repeats are written out. */
const MAX_INSTRUCTIONS = 20_000;

const ALL_BYTES = String.fromCharCode(...Array(256).keys());

/** A pattern for `PatternMachine`. */
export interface PatternProgram {
  code: Int32Array;
  /** For each set one byte for each of 256. */
  sets: Uint8Array;
  /** What each byte counts as when a group is matched once more. */
  fold: Uint8Array;
  groups: number;
  /** Repeats whose rounds may match nothing. */
  rounds: number;
  /** Places where a search may go back to. */
  splits: number;
  /** What a part matches depends on nothing but the position: what has failed once fails again. */
  isRegular: boolean;
  isAnchored: boolean;
  /** See `contextBytes`. */
  context: number;
  /** Bytes with which a match may begin; undefined when it may be empty. */
  first: Uint8Array | undefined;
}

/** @throws {Error} when it is too large. */
export function compileProgram(tree: PatternTree, caseless: boolean): PatternProgram {
  return new Compiler(tree, caseless).run();
}

class Compiler {
  readonly #tree: PatternTree;
  readonly #caseless: boolean;
  readonly #code: number[] = [];
  readonly #sets = new Map<string, { index: number; bytes: Uint8Array }>();
  readonly #rounds = new Map<PatternNode, number>();
  #splits = 0;

  constructor(tree: PatternTree, caseless: boolean) {
    this.#tree = tree;
    this.#caseless = caseless;
  }

  run(): PatternProgram {
    const { node, groups } = this.#tree;
    this.#write(node, false);
    this.#emit(OP.match);
    const first = new Uint8Array(256);
    const hasFirst = this.#addFirst(node, first);
    const sets = new Uint8Array(256 * this.#sets.size);
    for (const { index, bytes } of this.#sets.values()) sets.set(bytes, index * 256);
    return {
      code: Int32Array.from(this.#code),
      sets,
      fold: Uint8Array.from({ length: 256 }, (_, code) => (this.#caseless ? upperCase(code) : code)),
      groups,
      rounds: this.#rounds.size,
      splits: this.#splits,
      isRegular: !contains(node, (part) => part.kind === 'reference'),
      isAnchored: isAnchored(node),
      context: contextBytes(node),
      first: hasFirst ? first : undefined,
    };
  }

  /** @returns the place of the instruction. */
  #emit(op: number, a = 0, b = 0, c = 0): number {
    if (this.#code.length >= MAX_INSTRUCTIONS * WIDTH) throw new Error('the pattern is too large');
    return this.#code.push(op, a, b, c) - WIDTH;
  }

  get #here(): number {
    return this.#code.length;
  }

  #set(text: string): { index: number; bytes: Uint8Array } {
    const known = this.#sets.get(text);
    if (known) return known;
    const bytes = new Uint8Array(256);
    for (const { index } of ALL_BYTES.matchAll(new RegExp(text, this.#caseless ? 'gi' : 'g'))) bytes[index] = 1;
    const made = { index: this.#sets.size, bytes };
    this.#sets.set(text, made);
    return made;
  }

  /** @param before the part is matched from its end to its beginning. */
  #write(node: PatternNode, before: boolean): void {
    switch (node.kind) {
      case 'set':
        this.#emit(before ? OP.setBefore : OP.set, this.#set(node.text).index * 256);
        break;
      case 'sequence':
        for (const part of before ? node.nodes.toReversed() : node.nodes) this.#write(part, before);
        break;
      case 'choice':
        this.#choice(node.nodes, before);
        break;
      case 'repeat':
        this.#repeat(node, before);
        break;
      case 'group':
        this.#emit(OP.save, node.group * 2 + (before ? 1 : 0));
        this.#write(node.node, before);
        this.#emit(OP.save, node.group * 2 + (before ? 0 : 1));
        break;
      case 'look':
        this.#apart(this.#emit(OP.look, 0, node.negated ? 1 : 0), node.node, node.behind);
        break;
      case 'atomic':
        this.#apart(this.#emit(OP.atomic), { kind: 'group', group: node.group, node: node.node }, false);
        break;
      case 'reference':
        this.#emit(OP.reference, node.group * 2, before ? 1 : 0);
        break;
      default:
        this.#emit(OP[node.kind]);
    }
  }

  #apart(at: number, node: PatternNode, before: boolean): void {
    this.#write(node, before);
    this.#emit(OP.match);
    this.#code[at + 1] = this.#here;
  }

  #split(): number {
    return this.#emit(OP.split, 0, 0, this.#splits++);
  }

  #choice(nodes: readonly PatternNode[], before: boolean): void {
    const ends: number[] = [];
    nodes.forEach((node, i) => {
      const split = i < nodes.length - 1 ? this.#split() : -1;
      if (split >= 0) this.#code[split + 1] = this.#here;
      this.#write(node, before);
      if (split < 0) return;
      ends.push(this.#emit(OP.jump));
      this.#code[split + 2] = this.#here;
    });
    for (const end of ends) this.#code[end + 1] = this.#here;
  }

  #repeat(node: Extract<PatternNode, { kind: 'repeat' }>, before: boolean): void {
    for (let i = 0; i < node.min; i++) this.#round(node, before);
    const ends: number[] = [];
    const optional = node.max === Infinity ? 1 : node.max - node.min;
    for (let i = 0; i < optional; i++) {
      const split = this.#split();
      ends.push(split);
      this.#code[split + (node.lazy ? 2 : 1)] = this.#here;
      this.#optionalRound(node, before);
      if (node.max === Infinity) this.#emit(OP.jump, split);
    }
    for (const end of ends) this.#code[end + (node.lazy ? 1 : 2)] = this.#here;
  }

  #round({ node, groups }: Extract<PatternNode, { kind: 'repeat' }>, before: boolean): void {
    if (groups[1] >= groups[0]) this.#emit(OP.forget, groups[0] * 2, groups[1] * 2 + 1);
    this.#write(node, before);
  }

  /** A round that is not needed must match something. */
  #optionalRound(node: Extract<PatternNode, { kind: 'repeat' }>, before: boolean): void {
    const needsProgress = isNullable(node.node);
    if (!needsProgress) {
      this.#round(node, before);
      return;
    }
    const round = this.#rounds.get(node) ?? this.#rounds.size;
    this.#rounds.set(node, round);
    this.#emit(OP.begin, round);
    this.#round(node, before);
    this.#emit(OP.progress, round);
  }

  /** Adds the bytes with which the part may begin; false when it may match nothing, or anything. */
  #addFirst(node: PatternNode, first: Uint8Array): boolean {
    switch (node.kind) {
      case 'set':
        this.#set(node.text).bytes.forEach((is, code) => (first[code]! |= is));
        return true;
      case 'sequence':
        return node.nodes.some((part) => this.#addFirst(part, first));
      case 'choice':
        return node.nodes.map((part) => this.#addFirst(part, first)).every((ends) => ends);
      case 'repeat':
        return this.#addFirst(node.node, first) && node.min > 0;
      case 'group':
      case 'atomic':
        return this.#addFirst(node.node, first);
      case 'reference':
        first.fill(1);
        return false;
      default:
        return false;
    }
  }
}

/** As ECMAScript's Canonicalize, for Latin-1. */
function upperCase(code: number): number {
  const upper = String.fromCharCode(code).toUpperCase();
  const to = upper.charCodeAt(0);
  return upper.length > 1 || to > 255 || (code > 127 && to < 128) ? code : to;
}
