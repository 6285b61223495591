import { parseCidr } from '../../../util/ip.js';

/** Scores of addresses by category, as `iprep` asks for them. */
export interface Reputation {
  /** Number of a category; undefined when it is not in the list. */
  category(name: string): number | undefined;
  /** 0: nothing is known; 1 to 127 else. */
  score(category: number, version: number, w0: number, w1: number, w2: number, w3: number): number;
  readonly size: number;
}

interface Entry {
  category: number;
  score: number;
}

const MAX_CATEGORY = 60;
const MAX_SCORE = 127;

/**
 * Reads Suricata's IP reputation files: categories `id,short name,description`, lists `address or prefix,category id,score`.
 * Lines that are not understood are left out and told.
 */
export function createReputation(
  categoryText: string,
  lists: readonly { file: string; text: string }[],
  problem: (file: string, line: number, reason: string) => void,
): Reputation {
  const categories = new Map<string, number>();
  for (const line of categoryText.split(/\r?\n/)) {
    const [id = '', name = ''] = line.split(',').map((p) => p.trim());
    if (/^\d+$/.test(id) && name !== '') categories.set(name.toLowerCase(), Number(id));
  }
  /** By prefix length, then masked address. */
  const v4 = new Map<number, Map<number, Entry[]>>();
  const v6 = new Map<number, Map<bigint, Entry[]>>();
  let size = 0;
  for (const { file, text } of lists) {
    for (const [i, raw] of text.split(/\r?\n/).entries()) {
      const line = raw.replace(/#.*/, '').trim();
      if (line === '') continue;
      const [address = '', category = '', score = ''] = line.split(',').map((p) => p.trim());
      const network = parseCidr(address);
      const entry = { category: Number(category), score: Number(score) };
      if (
        !network ||
        !(entry.category >= 1 && entry.category <= MAX_CATEGORY) ||
        !(entry.score >= 0 && entry.score <= MAX_SCORE)
      ) {
        problem(file, i + 1, `"${line.slice(0, 60)}" is not an address, a category from 1 to 60 and a score up to 127`);
        continue;
      }
      size++;
      const [w0, w1, w2, w3] = network.words;
      if (network.version === 4) insert(v4, network.prefix, mask4(w3 >>> 0, network.prefix), entry);
      else insert(v6, network.prefix, mask6(toBig(w0, w1, w2, w3), network.prefix), entry);
    }
  }
  const lengths4 = [...v4.keys()].sort((a, b) => b - a);
  const lengths6 = [...v6.keys()].sort((a, b) => b - a);
  const scoreOf = (entries: readonly Entry[] | undefined, category: number): number | undefined =>
    entries?.findLast((e) => e.category === category)?.score;

  return {
    size,
    category: (name) => categories.get(name.toLowerCase()),
    score(category, version, w0, w1, w2, w3) {
      if (version === 4) {
        for (const length of lengths4) {
          const score = scoreOf(v4.get(length)!.get(mask4(w3, length)), category);
          if (score !== undefined) return score;
        }
        return 0;
      }
      if (lengths6.length === 0) return 0;
      const value = toBig(w0, w1, w2, w3);
      for (const length of lengths6) {
        const score = scoreOf(v6.get(length)!.get(mask6(value, length)), category);
        if (score !== undefined) return score;
      }
      return 0;
    },
  };
}

function insert<K>(table: Map<number, Map<K, Entry[]>>, prefix: number, key: K, entry: Entry): void {
  let byAddress = table.get(prefix);
  if (!byAddress) table.set(prefix, (byAddress = new Map<K, Entry[]>()));
  const known = byAddress.get(key);
  if (known) known.push(entry);
  else byAddress.set(key, [entry]);
}

const toBig = (w0: number, w1: number, w2: number, w3: number): bigint =>
  (BigInt(w0 >>> 0) << 96n) | (BigInt(w1 >>> 0) << 64n) | (BigInt(w2 >>> 0) << 32n) | BigInt(w3 >>> 0);
const mask4 = (value: number, prefix: number): number => {
  const size = 2 ** (32 - prefix);
  return Math.floor(value / size) * size;
};
const mask6 = (value: bigint, prefix: number): bigint => {
  const shift = BigInt(128 - prefix);
  return (value >> shift) << shift;
};
