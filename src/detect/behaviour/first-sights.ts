import { alignedInts } from './cache-lines.js';

const WAYS = 4;
/** Tags of a group and then when each was seen: half a cache line. */
const GROUP_WORDS = 2 * WAYS;

/**
 * A small memory of what was seen lately, by hashes, that answers before a large table is asked: most pairs of hosts meet
 * once and need no entry there. A group of four forgets in turn.
 */
export class FirstSights {
  private readonly words: Int32Array;
  private readonly mask: number;
  private turn = 0;

  /** @param sights remembered at most, a power of two. */
  constructor(sights: number) {
    this.words = alignedInts(2 * sights);
    this.mask = sights / WAYS - 1;
  }

  /**
   * Milliseconds since the tag was seen, at most 24 days and 0 for a sight told late; -1 when it is not remembered. Notes
   * that it is seen now.
   */
  sinceMs(tag: number, nowUs: number): number {
    const { words } = this;
    const at = (tag & this.mask) * GROUP_WORDS;
    // The lowest 32 bits; `%` of numbers this large is a function call.
    const nowMs = (nowUs / 1000) | 0;
    for (let way = at; way < at + WAYS; way++) {
      if (words[way] !== tag) continue;
      const since = (nowMs - words[way + WAYS]!) | 0;
      if (since < 0) return 0;
      words[way + WAYS] = nowMs;
      return since;
    }
    this.turn = (this.turn + 1) & (WAYS - 1);
    words[at + this.turn] = tag;
    words[at + this.turn + WAYS] = nowMs;
    return -1;
  }

  clear(): void {
    this.words.fill(0);
  }

  /** Fetches what `sinceMs` will need. @returns what was read, to be used somehow. */
  readAhead(tag: number): number {
    return this.words[(tag & this.mask) * GROUP_WORDS]!;
  }
}
