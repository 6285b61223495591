import { maskIp, parseCidr, parseIp, type IpAddress } from '../../../util/ip.js';

/** Sorted, disjoint, inclusive ranges. */
export interface AddressRanges {
  /** Pairs from, to of 32-bit numbers. */
  v4: Float64Array;
  /** Pairs from, to of 128-bit numbers. */
  v6: bigint[];
  /** Everything: no look-up needed. */
  any: boolean;
}

type Range = [bigint, bigint];
interface Ranges {
  v4: Range[];
  v6: Range[];
}

const MAX_V4 = 0xffffffffn;
const MAX_V6 = (1n << 128n) - 1n;
const ALL: Ranges = { v4: [[0n, MAX_V4]], v6: [[0n, MAX_V6]] };

/**
 * Reads an address part of a rule: `any`, addresses, prefixes, ranges, `$VARIABLES`, `!negation`, `[lists, of, these]`.
 * Members of a list add up, negated members are taken away; a list of only negations starts from everything.
 * @param variables values of address variables by name, without `$`.
 * @throws {Error} with a sentence for people.
 */
export function parseAddresses(text: string, variables: ReadonlyMap<string, string>): AddressRanges {
  const ranges = parseMember(text.trim(), variables, 0);
  if (ranges.v4.length === 0 && ranges.v6.length === 0) throw new Error(`"${text}" leaves no address`);
  return {
    v4: Float64Array.from(ranges.v4.flat().map(Number)),
    v6: ranges.v6.flat(),
    any: covers(ranges.v4, MAX_V4) && covers(ranges.v6, MAX_V6),
  };
}

/** True when the address is in the ranges; IPv4 in word 3 as everywhere. */
export function inRanges(
  ranges: AddressRanges,
  version: number,
  w0: number,
  w1: number,
  w2: number,
  w3: number,
): boolean {
  if (ranges.any) return true;
  if (version === 4) {
    const v4 = ranges.v4;
    for (let i = 0; i < v4.length; i += 2) if (w3 >= v4[i]! && w3 <= v4[i + 1]!) return true;
    return false;
  }
  if (ranges.v6.length === 0) return false;
  const value = toBig(w0, w1, w2, w3);
  for (let i = 0; i < ranges.v6.length; i += 2) if (value >= ranges.v6[i]! && value <= ranges.v6[i + 1]!) return true;
  return false;
}

/** Some of it is taken away by `!`, here or in a variable. */
export function hasNegation(text: string, variables: ReadonlyMap<string, string>, depth = 0): boolean {
  if (text.includes('!')) return true;
  const named = text.match(/(?<=\$)\w+/g) ?? [];
  return depth < 16 && named.some((name) => hasNegation(variables.get(name) ?? '', variables, depth + 1));
}

function parseMember(text: string, variables: ReadonlyMap<string, string>, depth: number): Ranges {
  if (depth > 16) throw new Error('address variables refer to each other in a circle');
  if (text.startsWith('!')) return subtractRanges(ALL, parseMember(text.slice(1).trim(), variables, depth + 1));
  if (text.startsWith('[')) {
    if (!text.endsWith(']')) throw new Error(`"${text}" is not closed`);
    return parseList(splitList(text.slice(1, -1)), variables, depth + 1);
  }
  if (text.startsWith('$')) {
    const value = variables.get(text.slice(1));
    if (value === undefined) throw new Error(`the address variable ${text} is not defined`);
    return parseMember(value.trim(), variables, depth + 1);
  }
  if (text === 'any') return ALL;
  return parseLiteral(text);
}

function parseList(members: readonly string[], variables: ReadonlyMap<string, string>, depth: number): Ranges {
  const positive = members.filter((m) => !m.startsWith('!'));
  let result: Ranges = positive.length === 0 ? ALL : { v4: [], v6: [] };
  for (const m of positive) result = addRanges(result, parseMember(m, variables, depth));
  for (const m of members.filter((x) => x.startsWith('!')))
    result = subtractRanges(result, parseMember(m.slice(1).trim(), variables, depth));
  return result;
}

function parseLiteral(text: string): Ranges {
  const dash = text.indexOf('-');
  if (dash > 0) {
    const from = parseIp(text.slice(0, dash).trim());
    const to = parseIp(text.slice(dash + 1).trim());
    if (!from || !to || from.version !== to.version) throw new Error(`"${text}" is not an address range`);
    return ofRange(from, big(from), big(to));
  }
  const slash = text.indexOf('/');
  if (slash > 0 && text.slice(slash).includes('.')) return parseNetmask(text, slash);
  const cidr = parseCidr(text);
  if (!cidr) throw new Error(`"${text}" is not an address, prefix, variable or list`);
  const bits = BigInt((cidr.version === 4 ? 32 : 128) - cidr.prefix);
  const from = big(cidr);
  return ofRange(cidr, from, from + (1n << bits) - 1n);
}

/** `192.0.2.0/255.255.255.0` */
function parseNetmask(text: string, slash: number): Ranges {
  const ip = parseIp(text.slice(0, slash));
  const mask = parseIp(text.slice(slash + 1));
  const ones = mask?.version === 4 ? Math.clz32(~mask.words[3] >>> 0) : -1;
  if (!ip || ip.version !== 4 || ones < 0) throw new Error(`"${text}" is not an address with a net mask`);
  const net = maskIp(ip, ones);
  return ofRange(net, big(net), big(net) + (1n << BigInt(32 - ones)) - 1n);
}

function ofRange(ip: IpAddress, from: bigint, to: bigint): Ranges {
  if (from > to) throw new Error('the range ends before it begins');
  return ip.version === 4 ? { v4: [[from, to]], v6: [] } : { v4: [], v6: [[from, to]] };
}

/** Splits at commas that are not inside brackets. */
export function splitList(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i <= text.length; i++) {
    const c = text[i];
    if (c === '[') depth++;
    if (c === ']') depth--;
    if (i === text.length || (c === ',' && depth === 0)) {
      const part = text.slice(start, i).trim();
      if (part !== '') parts.push(part);
      start = i + 1;
    }
  }
  return parts;
}

function addRanges(a: Ranges, b: Ranges): Ranges {
  return { v4: merge([...a.v4, ...b.v4]), v6: merge([...a.v6, ...b.v6]) };
}

function subtractRanges(a: Ranges, b: Ranges): Ranges {
  return { v4: subtract(a.v4, b.v4), v6: subtract(a.v6, b.v6) };
}

function merge(ranges: Range[]): Range[] {
  const sorted = ranges.sort((x, y) => (x[0] < y[0] ? -1 : x[0] > y[0] ? 1 : 0));
  const out: Range[] = [];
  for (const [from, to] of sorted) {
    const last = out.at(-1);
    if (last && from <= last[1] + 1n) last[1] = to > last[1] ? to : last[1];
    else out.push([from, to]);
  }
  return out;
}

function subtract(from: readonly Range[], what: readonly Range[]): Range[] {
  let rest: Range[] = from.map(([a, b]) => [a, b]);
  for (const [x, y] of what) {
    rest = rest.flatMap(([a, b]): Range[] => {
      if (y < a || x > b) return [[a, b]];
      const out: Range[] = [];
      if (x > a) out.push([a, x - 1n]);
      if (y < b) out.push([y + 1n, b]);
      return out;
    });
  }
  return rest;
}

function covers(ranges: readonly Range[], max: bigint): boolean {
  return ranges.length === 1 && ranges[0]![0] === 0n && ranges[0]![1] === max;
}

function toBig(w0: number, w1: number, w2: number, w3: number): bigint {
  return (BigInt(w0 >>> 0) << 96n) | (BigInt(w1 >>> 0) << 64n) | (BigInt(w2 >>> 0) << 32n) | BigInt(w3 >>> 0);
}

function big(ip: IpAddress): bigint {
  return ip.version === 4 ? BigInt(ip.words[3]) : toBig(...ip.words);
}
