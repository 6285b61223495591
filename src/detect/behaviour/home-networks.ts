import { parseCidr } from '../../util/ip.js';

/** Words of a network, and the masks of its bits. */
interface Network {
  words: Words;
  masks: Words;
}

type Words = readonly [number, number, number, number];

/** What the first byte of an IPv4 address says of it. */
const OUTSIDE = 0;
const INSIDE = 1;
const UNDECIDED = 2;

/** Tells inside from outside addresses, on address words, without making objects. */
export class HomeNetworks {
  private readonly v4: readonly { word: number; mask: number }[];
  /** By first byte of an IPv4 address: most need no look at the prefixes. */
  private readonly byFirstByte = new Uint8Array(256);
  private readonly v6: readonly Network[];

  /** @param list prefixes that are inside; validated by the options. */
  constructor(list: readonly string[]) {
    const networks = list.map((text) => parseCidr(text)).filter((c) => c !== undefined);
    this.v4 = networks
      .filter((n) => n.version === 4)
      .map((n) => ({ word: (n.words[3] & maskOf(n.prefix)) | 0, mask: maskOf(n.prefix) | 0 }));
    for (let byte = 0; byte < 256; byte++) this.byFirstByte[byte] = this.lookOf(byte << 24);
    this.v6 = networks
      .filter((n) => n.version === 6)
      .map((n) => {
        const mask = (w: 0 | 1 | 2 | 3): number => maskOf(n.prefix - 32 * w) | 0;
        const masks: Words = [mask(0), mask(1), mask(2), mask(3)];
        const [w0, w1, w2, w3] = n.words;
        return { words: [w0 & masks[0], w1 & masks[1], w2 & masks[2], w3 & masks[3]] as Words, masks };
      });
  }

  /** @param words a column of addresses, four words a slot. */
  contains(version: number, words: Uint32Array, slot: number): boolean {
    const at = 4 * slot;
    return this.has(version, words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!);
  }

  /** The same for the words of an address. */
  has(version: number, w0: number, w1: number, w2: number, w3: number): boolean {
    if (version === 4) return this.hasV4(w3);
    const { v6 } = this;
    for (let i = 0; i < v6.length; i++) {
      const { words, masks } = v6[i]!;
      if (
        (w0 & masks[0]) === words[0] &&
        (w1 & masks[1]) === words[1] &&
        (w2 & masks[2]) === words[2] &&
        (w3 & masks[3]) === words[3]
      )
        return true;
    }
    return false;
  }

  private hasV4(word: number): boolean {
    const look = this.byFirstByte[word >>> 24]!;
    if (look !== UNDECIDED) return look === INSIDE;
    const { v4 } = this;
    for (let i = 0; i < v4.length; i++) if ((word & v4[i]!.mask) === v4[i]!.word) return true;
    return false;
  }

  /** What is to be done about the addresses that begin with the first byte of `word`. */
  private lookOf(word: number): number {
    const FIRST = 0xff000000;
    const near = this.v4.filter((n) => ((word ^ n.word) & n.mask & FIRST) === 0);
    if (near.length === 0) return OUTSIDE;
    return near.some((n) => (n.mask & ~FIRST) === 0) ? INSIDE : UNDECIDED;
  }
}

/** The first `bits` bits of a word. */
function maskOf(bits: number): number {
  return bits <= 0 ? 0 : (0xffffffff << (32 - Math.min(32, bits))) >>> 0;
}
