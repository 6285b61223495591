import type { Direction } from '../../../domain/flow.js';
import { makePrefilter, type Prefilter, type PrefilterPattern } from '../match/prefilter.js';
import type { Scanner } from '../match/wasm/scanner.js';
import type { BufferInspection, Rule } from '../rule.js';
import type { Steps } from '../steps.js';
import { choosePattern, lastByte, SHALLOW_BYTES, toPattern } from './fast-pattern.js';

/** One buffer of transactions with the rules whose pattern is looked for there. */
export interface BufferGroup {
  inspection: BufferInspection;
  prefilter: Prefilter;
  /** Bytes from the beginning where its patterns can be. */
  limit: number;
  /** Its values only get longer: bytes that were searched are not searched again. */
  grows: boolean;
}

/** Buffers that often are the same bytes under several names, and one prefilter for all of them. */
export interface SharedBuffers {
  /** Positions in `buffers`. */
  members: readonly number[];
  patterns: readonly PrefilterPattern[];
  prefilter: Prefilter;
}

/** Rules about transactions of one application protocol in one direction. */
export interface TransactionGroup {
  buffers: readonly BufferGroup[];
  /** Bodies: the first `buffers` are these. */
  growing: number;
  shared: SharedBuffers | undefined;
  always: readonly number[];
}

interface Collected {
  inspection: BufferInspection;
  limit: number;
  grows: boolean;
  patterns: PrefilterPattern[];
}

export function* makeTransactionGroup(
  rules: readonly Rule[],
  direction: Direction,
  scanner: Scanner,
): Steps<TransactionGroup> {
  const always: number[] = [];
  const byKey = new Map<string, Collected>();
  for (const rule of rules) {
    const chosen = choosePattern(rule);
    if (!chosen) {
      always.push(rule.index);
      continue;
    }
    const { inspection, content } = chosen;
    if ((inspection.buffer.towards & (1 << direction)) === 0) continue;
    const limit = inspection.buffer.grows && lastByte(content) <= SHALLOW_BYTES ? SHALLOW_BYTES : Infinity;
    const key = `${inspection.key}#${limit}`;
    const grows = inspection.buffer.grows && inspection.transforms.length === 0;
    const collected = byKey.get(key) ?? { inspection, limit, grows, patterns: [] };
    collected.patterns.push(toPattern(content, rule.index));
    byKey.set(key, collected);
  }
  const ordered = [...byKey.values()].sort((a, b) => Number(b.grows) - Number(a.grows));
  const buffers: BufferGroup[] = [];
  for (const b of ordered) {
    buffers.push({ ...b, prefilter: yield* makePrefilter(b.patterns, scanner) });
    yield;
  }
  const members = ordered.flatMap((b, i) => (b.grows && b.limit === Infinity ? [i] : []));
  const patterns = members.flatMap((i) => ordered[i]!.patterns);
  const [only] = members;
  const prefilter = members.length === 1 ? buffers[only!]!.prefilter : yield* makePrefilter(patterns, scanner);
  return {
    buffers,
    growing: ordered.filter((b) => b.grows).length,
    shared: members.length === 0 ? undefined : { members, patterns, prefilter },
    always,
  };
}
