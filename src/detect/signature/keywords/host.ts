import type { DecodedPacket } from '../../../domain/packet.js';
import { inRange, parseNumber } from '../parse/number.js';
import type { NumberRange } from '../rule.js';
import type { RuleBuilder } from './builder.js';
import type { Keyword } from './payload.js';
import { own } from '../../../util/own.js';

type Side = 'src' | 'dst' | 'any' | 'both';
/** A question about one address of the packet. */
type Ask = (version: number, w0: number, w1: number, w2: number, w3: number) => boolean;

const SIDES: Readonly<Record<string, Side>> = { src: 'src', dst: 'dst', dest: 'dst', any: 'any', both: 'both' };

function addTest(b: RuleBuilder, side: Side, ask: Ask): void {
  const source = (p: DecodedPacket): boolean =>
    ask(p.ipVersion, p.src0 >>> 0, p.src1 >>> 0, p.src2 >>> 0, p.src3 >>> 0);
  const target = (p: DecodedPacket): boolean =>
    ask(p.ipVersion, p.dst0 >>> 0, p.dst1 >>> 0, p.dst2 >>> 0, p.dst3 >>> 0);
  b.rule.packetTests.push((p) => {
    if (p.ipVersion === 0) return false;
    if (side === 'src') return source(p);
    if (side === 'dst') return target(p);
    return side === 'any' ? source(p) || target(p) : source(p) && target(p);
  });
}

function iprep(b: RuleBuilder, value: string): void {
  const [sideText = '', name = '', operator = '', number = ''] = value.split(',').map((p) => p.trim());
  const side = own(SIDES, sideText);
  if (!side || sideText === 'dest') throw new Error(`"${sideText}" is neither any, src, dst nor both`);
  const { reputation } = b.context;
  if (!reputation) throw new Error('no reputation lists are configured (detect.signature.reputation)');
  const category = reputation.category(name);
  if (category === undefined) throw new Error(`the category "${name}" is not in the list of categories`);
  const ask = (test: (score: number) => boolean): void => {
    addTest(b, side, (version, w0, w1, w2, w3) => test(reputation.score(category, version, w0, w1, w2, w3)));
  };
  if (operator === 'isset') ask((score) => score > 0);
  else if (operator === 'isnotset') ask((score) => score === 0);
  else {
    if (!/^(<|>|=|<=|>=)$/.test(operator)) throw new Error(`"${operator}" is not a comparison`);
    const range: NumberRange = { operator: operator as '<', a: parseNumber(number, 0, 127), b: 0 };
    ask((score) => score > 0 && inRange(range, score));
  }
}

function geoip(b: RuleBuilder, value: string): void {
  const parts = value.split(',').map((p) => p.trim());
  const first = own(SIDES, parts[0]!.toLowerCase());
  const codes = first ? parts.slice(1) : parts;
  const negated = codes[0]?.startsWith('!') ?? false;
  const wanted = new Set(codes.map((c) => c.replace(/^!/, '').toUpperCase()));
  if (codes.length === 0 || [...wanted].some((c) => !/^[A-Z]{2}$/.test(c)))
    throw new Error('needs country codes of two letters, such as geoip:src,DE,FR');
  const { countries } = b.context;
  if (!countries) throw new Error('no country database is configured (detect.signature.geoip)');
  addTest(b, first ?? 'any', (version, w0, w1, w2, w3) => {
    const country = countries.country(version, w0, w1, w2, w3);
    return country !== undefined && wanted.has(country) !== negated;
  });
}

/** Keywords about what is known of addresses. */
export const HOST_KEYWORDS: Readonly<Record<string, Keyword>> = { iprep, geoip };
