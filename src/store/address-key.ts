import { maskIp, parseCidr, type Cidr } from '../util/ip.js';

const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, '0');

function keyOf(ip: { version: 4 | 6; words: readonly [number, number, number, number] }): string {
  const [a, b, c, d] = ip.words;
  return ip.version === 4 ? `00000000000000000000ffff${hex(d)}` : hex(a) + hex(b) + hex(c) + hex(d);
}

/**
 * Sortable text of an address: 32 hex digits, IPv4 as IPv4-mapped IPv6, so that a prefix is a range of keys and
 * an ordinary index finds it on every database. A prefix gives its first address; anything else the empty string.
 */
export function addressKey(text: string): string {
  const cidr = parseCidr(text);
  return cidr ? keyOf(cidr) : '';
}

/** First and last key of a prefix. */
export function addressKeyRange(cidr: Cidr): { first: string; last: string } {
  const bits = cidr.version === 4 ? cidr.prefix + 96 : cidr.prefix;
  const words = cidr.words.map((word, i) => {
    const network = Math.min(32, Math.max(0, bits - 32 * i));
    return network === 32 ? word : (word | (0xffffffff >>> network)) >>> 0;
  });
  const last: [number, number, number, number] = [words[0] ?? 0, words[1] ?? 0, words[2] ?? 0, words[3] ?? 0];
  return { first: keyOf(cidr), last: keyOf({ version: cidr.version, words: last }) };
}

/** First keys of every prefix that could contain this one, itself included, longest first. */
export function coveringKeys(cidr: Cidr): string[] {
  const keys = new Set<string>();
  for (let prefix = cidr.prefix; prefix >= 0; prefix--) keys.add(keyOf(maskIp(cidr, prefix)));
  return [...keys];
}
