import { parseCidr } from '../../util/ip.js';

/** Words of a network, and the masks of its bits. */
interface Network {
  words: readonly number[];
  masks: readonly number[];
}

/** Tells inside from outside addresses, on address words, without making objects. */
export class HomeNetworks {
  private readonly v4: readonly { word: number; mask: number }[];
  private readonly v6: readonly Network[];

  /** @param list prefixes that are inside; validated by the options. */
  constructor(list: readonly string[]) {
    const networks = list.map((text) => parseCidr(text)).filter((c) => c !== undefined);
    this.v4 = networks
      .filter((n) => n.version === 4)
      .map((n) => ({ word: (n.words[3] & maskOf(n.prefix)) >>> 0, mask: maskOf(n.prefix) }));
    this.v6 = networks
      .filter((n) => n.version === 6)
      .map((n) => {
        const masks = [0, 1, 2, 3].map((w) => maskOf(n.prefix - 32 * w));
        return { words: n.words.map((word, w) => (word & masks[w]!) >>> 0), masks };
      });
  }

  /** @param words a column of addresses, four words a slot. */
  contains(version: number, words: Uint32Array, slot: number): boolean {
    const at = 4 * slot;
    if (version === 4) {
      const word = words[at + 3]!;
      for (const n of this.v4) if ((word & n.mask) >>> 0 === n.word) return true;
      return false;
    }
    for (const n of this.v6) {
      let same = true;
      for (let w = 0; w < 4 && same; w++) same = (words[at + w]! & n.masks[w]!) >>> 0 === n.words[w];
      if (same) return true;
    }
    return false;
  }
}

/** The first `bits` bits of a word. */
function maskOf(bits: number): number {
  return bits <= 0 ? 0 : (0xffffffff << (32 - Math.min(32, bits))) >>> 0;
}
