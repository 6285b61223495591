/**
 * Addresses as four big-endian 32-bit words; IPv4 is word 3 with version 4. One form for everything that
 * compares, masks or hashes addresses, so no strings are made on the packet path.
 */
export interface IpAddress {
  version: 4 | 6;
  words: readonly [number, number, number, number];
}

export interface Cidr extends IpAddress {
  /** 0..32 for IPv4, 0..128 for IPv6. */
  prefix: number;
}

/** Dotted quad of a 32-bit word. */
export function formatIpv4(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;
}

/** Canonical text of an IPv6 address (RFC 5952 section 4). */
export function formatIpv6(w0: number, w1: number, w2: number, w3: number): string {
  if (w0 === 0 && w1 === 0 && w2 === 0xffff) return `::ffff:${formatIpv4(w3)}`;
  const groups = [w0 >>> 16, w0 & 0xffff, w1 >>> 16, w1 & 0xffff, w2 >>> 16, w2 & 0xffff, w3 >>> 16, w3 & 0xffff];
  let bestStart = -1;
  let bestLen = 1;
  for (let i = 0; i < 8;) {
    let j = i;
    while (j < 8 && groups[j] === 0) j++;
    if (j - i > bestLen) {
      bestStart = i;
      bestLen = j - i;
    }
    i = j === i ? i + 1 : j;
  }
  const hex = groups.map((g) => g.toString(16));
  if (bestStart < 0) return hex.join(':');
  return `${hex.slice(0, bestStart).join(':')}::${hex.slice(bestStart + bestLen).join(':')}`;
}

/** Canonical text of four address words. */
export function formatIpWords(version: number, w0: number, w1: number, w2: number, w3: number): string {
  return version === 6 ? formatIpv6(w0, w1, w2, w3) : formatIpv4(w3);
}

export function formatIp({ version, words }: IpAddress): string {
  return version === 4 ? formatIpv4(words[3]) : formatIpv6(words[0], words[1], words[2], words[3]);
}

export function formatCidr(cidr: Cidr): string {
  return `${formatIp(cidr)}/${cidr.prefix}`;
}

/** Four decimal numbers without leading zeros. Digit by digit: lists have hundreds of thousands of addresses. */
function parseIpv4Word(text: string): number | undefined {
  if (text.length > 15) return undefined;
  let word = 0;
  let part = -1;
  let dots = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c >= 48 && c <= 57) {
      if (part === 0) return undefined;
      part = part < 0 ? c - 48 : part * 10 + c - 48;
      if (part > 255) return undefined;
    } else if (c === 46 && part >= 0 && dots < 3) {
      word = word * 256 + part;
      part = -1;
      dots += 1;
    } else return undefined;
  }
  return dots === 3 && part >= 0 ? (word * 256 + part) >>> 0 : undefined;
}

function parseIpv6Groups(text: string): number[] | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const read = (half: string): number[] | undefined => {
    if (half === '') return [];
    const out: number[] = [];
    const parts = half.split(':');
    for (const [i, part] of parts.entries()) {
      if (part.includes('.')) {
        const word = i === parts.length - 1 ? parseIpv4Word(part) : undefined;
        if (word === undefined) return undefined;
        out.push(word >>> 16, word & 0xffff);
      } else {
        if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
        out.push(parseInt(part, 16));
      }
    }
    return out;
  };
  const head = read(halves[0] ?? '');
  const tail = halves.length === 2 ? read(halves[1] ?? '') : [];
  if (!head || !tail) return undefined;
  if (halves.length === 1) return head.length === 8 ? head : undefined;
  const fill = 8 - head.length - tail.length;
  return fill < 1 ? undefined : [...head, ...new Array<number>(fill).fill(0), ...tail];
}

/**
 * Reads an IPv4 or IPv6 address; IPv4-mapped IPv6 (`::ffff:a.b.c.d`) becomes IPv4. No zone, no port, no brackets.
 * @returns undefined when the text is not an address.
 */
export function parseIp(text: string): IpAddress | undefined {
  const v4 = parseIpv4Word(text);
  if (v4 !== undefined) return { version: 4, words: [0, 0, 0, v4] };
  if (!text.includes(':') || text.length > 45) return undefined;
  const g = parseIpv6Groups(text);
  if (!g) return undefined;
  const word = (i: number): number => (((g[i] ?? 0) << 16) | (g[i + 1] ?? 0)) >>> 0;
  const words = [word(0), word(2), word(4), word(6)] as const;
  if (words[0] === 0 && words[1] === 0 && words[2] === 0xffff) return { version: 4, words: [0, 0, 0, words[3]] };
  return { version: 6, words: [...words] };
}

/** Mask of the word at `index` (0..3) for an IPv6 prefix length; for IPv4 use index 3 with prefix + 96. */
function wordMask(prefix: number, index: number): number {
  const bits = Math.min(32, Math.max(0, prefix - 32 * index));
  return bits === 0 ? 0 : (0xffffffff << (32 - bits)) >>> 0;
}

/** The network of an address: host bits cleared. */
export function maskIp(ip: IpAddress, prefix: number): Cidr {
  const p = ip.version === 4 ? prefix + 96 : prefix;
  const [a, b, c, d] = ip.words;
  const words = [
    (a & wordMask(p, 0)) >>> 0,
    (b & wordMask(p, 1)) >>> 0,
    (c & wordMask(p, 2)) >>> 0,
    (d & wordMask(p, 3)) >>> 0,
  ] as const;
  return { version: ip.version, words, prefix };
}

/** Reads `address` or `address/prefix`; host bits are cleared. An address alone gets the full prefix length. */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/');
  const v4 = slash < 0 ? parseIpv4Word(text) : undefined;
  if (v4 !== undefined) return { version: 4, words: [0, 0, 0, v4], prefix: 32 };
  const ip = parseIp(slash < 0 ? text : text.slice(0, slash));
  if (!ip) return undefined;
  const full = ip.version === 4 ? 32 : 128;
  if (slash < 0) return { ...ip, prefix: full };
  const digits = text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(digits)) return undefined;
  let prefix = Number(digits);
  if (ip.version === 4 && text.slice(0, slash).includes(':')) prefix -= 96;
  if (prefix < 0 || prefix > full) return undefined;
  return maskIp(ip, prefix);
}

/** True when the network contains the address. */
export function cidrContains(cidr: Cidr, ip: IpAddress): boolean {
  if (cidr.version !== ip.version) return false;
  const p = cidr.version === 4 ? cidr.prefix + 96 : cidr.prefix;
  for (let i = 0; i < 4; i++) if ((ip.words[i]! & wordMask(p, i)) >>> 0 !== cidr.words[i]) return false;
  return true;
}

/** True when the two networks share an address. */
export function cidrOverlaps(a: Cidr, b: Cidr): boolean {
  return a.prefix <= b.prefix ? cidrContains(a, b) : cidrContains(b, a);
}

/** Canonical text of an address or prefix, or undefined; `/32` and `/128` are left out. */
export function canonicalAddress(text: string): string | undefined {
  const cidr = parseCidr(text);
  if (!cidr) return undefined;
  return cidr.prefix === (cidr.version === 4 ? 32 : 128) ? formatIp(cidr) : formatCidr(cidr);
}

/** True when `address` is `network`, an address or a prefix, or lies in it. False for what is neither. */
export function isWithin(address: string, network: string): boolean {
  if (address === network) return true;
  const ip = parseIp(address);
  const cidr = network.includes('/') ? parseCidr(network) : undefined;
  return ip !== undefined && cidr !== undefined && cidrContains(cidr, ip);
}

/** Private, loopback, link-local or unique-local (RFC 1918, 4193, 3927, 6890). */
export function isPrivateIp(ip: IpAddress): boolean {
  const w = ip.words[3];
  if (ip.version === 4) {
    return (
      w >>> 24 === 10 ||
      w >>> 20 === 0xac1 ||
      w >>> 16 === 0xc0a8 ||
      w >>> 24 === 127 ||
      w >>> 16 === 0xa9fe ||
      w >>> 22 === 0x191 // 100.64.0.0/10, RFC 6598
    );
  }
  const top = ip.words[0];
  if (top >>> 25 === 0x7e || top >>> 22 === 0x3fa) return true;
  return top === 0 && ip.words[1] === 0 && ip.words[2] === 0 && w <= 1;
}
