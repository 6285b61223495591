const WAYS = 4;
/** Tags of a group and then when each was seen: half a cache line. */
const GROUP_WORDS = 2 * WAYS;

/**
 * A small memory of what was seen lately, by hashes, that answers before a large table is asked: most pairs of hosts meet
 * once and need no entry there. A group of four forgets in turn.
 */
export class FirstSights {
  private readonly words: Uint32Array;
  private readonly mask: number;
  private turn = 0;

  /** @param sights remembered at most, a power of two. */
  constructor(sights: number) {
    this.words = new Uint32Array(2 * sights);
    this.mask = sights / WAYS - 1;
  }

  /** Milliseconds since the tag was seen, -1 when that is not remembered; notes that it is seen now. */
  sinceMs(tag: number, nowUs: number): number {
    const { words } = this;
    const at = (tag & this.mask) * GROUP_WORDS;
    const nowMs = Math.floor(nowUs / 1000) % 4_294_967_296;
    for (let way = at; way < at + WAYS; way++) {
      if (words[way] !== tag) continue;
      const since = (nowMs - words[way + WAYS]!) >>> 0;
      words[way + WAYS] = nowMs;
      return since;
    }
    this.turn = (this.turn + 1) & (WAYS - 1);
    words[at + this.turn] = tag;
    words[at + this.turn + WAYS] = nowMs;
    return -1;
  }
}
