import { parseCidr, type Cidr } from '../../util/ip.js';

/** Tells inside from outside addresses, on address words, without making objects. */
export class HomeNetworks {
  private readonly networks: readonly Cidr[];

  /** @param list prefixes that are inside; validated by the options. */
  constructor(list: readonly string[]) {
    this.networks = list.map((text) => parseCidr(text)).filter((c): c is Cidr => c !== undefined);
  }

  /** @param words a column of addresses, four words a slot. */
  contains(version: number, words: Uint32Array, slot: number): boolean {
    for (const n of this.networks) {
      if (n.version !== version) continue;
      const bits = version === 4 ? n.prefix + 96 : n.prefix;
      let same = true;
      for (let w = 0; w < 4 && same; w++) {
        const used = Math.min(32, Math.max(0, bits - 32 * w));
        const mask = used === 0 ? 0 : (0xffffffff << (32 - used)) >>> 0;
        same = version === 4 && w < 3 ? true : (words[4 * slot + w]! & mask) >>> 0 === n.words[w];
      }
      if (same) return true;
    }
    return false;
  }
}
