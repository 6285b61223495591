import type { z } from 'zod';
import { cidrContains, parseCidr } from '../util/ip.js';

/** What one part of a policy says against another, at the place to change. */
export interface Contradiction {
  path: (string | number)[];
  message: string;
}

/**
 * Finds what contradicts itself in a policy, also in one whose other fields are wrong: all problems are reported at once.
 * @param policy as far as it could be read: a field may be absent, or hold what was written instead of what belongs there.
 */
export function findContradictions(policy: unknown): Contradiction[] {
  const p = mapOf(policy);
  const outcome = p['outcome'];
  const hasLadder = p['respond'] !== undefined;
  const found: Contradiction[] = [];
  if (outcome === 'act' && !hasLadder) {
    found.push({ path: ['respond'], message: 'is required when the outcome is act' });
  }
  if ((outcome === 'monitor' || outcome === 'allow') && hasLadder) {
    found.push({ path: ['respond'], message: `contradicts outcome ${outcome}: remove one` });
  }
  return [...found, ...ofInline(p), ...ofLadder(p), ...ofConditions(mapOf(p['when']))];
}

/** For a schema: reports them whatever else is wrong. */
export const alwaysChecked: z.core.$ZodSuperRefineParams = { when: () => true };

function ofInline(policy: Fields): Contradiction[] {
  if (policy['inline'] === undefined) return [];
  const { verdict, mark } = mapOf(policy['inline']);
  const found: Contradiction[] = [];
  if (typeof verdict === 'string' && (verdict === 'mark') !== (mark !== undefined)) {
    found.push({ path: ['inline', 'mark'], message: 'belongs to verdict mark, and is required there' });
  }
  if (policy['outcome'] === 'allow') {
    found.push({ path: ['inline'], message: 'contradicts outcome allow: remove one' });
  }
  return found;
}

function ofLadder(policy: Fields): Contradiction[] {
  const { ladder, traffic } = mapOf(policy['respond']);
  return listOf(ladder).flatMap((value, i) => {
    const rung = mapOf(value);
    const at = (key: string, message: string): Contradiction => ({ path: ['respond', 'ladder', i, key], message });
    const never = neverEnforced(rung, traffic);
    const found = never === undefined ? [] : [at(...never)];
    if (
      rung['action'] === 'block' &&
      rung['scope'] !== 'flow' &&
      rung['duration'] === 0 &&
      policy['mode'] === 'enforce'
    ) {
      found.push(at('duration', 'a policy may not block for ever: give a duration'));
    }
    return found;
  });
}

/** Why the responder would refuse what this step decides, whoever the offender is: the key, and the reason. */
function neverEnforced(rung: Fields, traffic: unknown): [key: string, why: string] | undefined {
  const { action, scope, prefix4, prefix6 } = rung;
  const isTo = traffic === 'to' || traffic === 'both';
  if (action === 'rate_limit' && (scope === 'service' || scope === 'flow')) {
    return ['scope', 'contradicts rate_limit, which applies to whole addresses: scope ip or cidr'];
  }
  if (action === 'rate_limit' && isTo) {
    return ['action', `contradicts traffic ${traffic}: only traffic from an address can be slowed down`];
  }
  const isWide = isBelow(prefix4, 32) || isBelow(prefix6, 64);
  if (action === 'block' && scope === 'cidr' && isTo && isWide) {
    return ['scope', `contradicts traffic ${traffic}: traffic to an address is stopped for single hosts only`];
  }
  return undefined;
}

/** What can never match: a network that is, all of it, excluded; a time of day that ends as it begins. */
function ofConditions(when: Fields): Contradiction[] {
  const { from, to } = mapOf(when['time']);
  const isNever = typeof from === 'number' && from === to;
  const time = isNever ? [{ path: ['when', 'time', 'to'], message: 'never matches: it is the same as from' }] : [];
  const networks = ['sources', 'targets'].flatMap((key) => {
    const excluded = listOf(when[`not_${key}`]).flatMap((text) => networkOf(text) ?? []);
    return listOf(when[key]).flatMap((text, i) => {
      const network = networkOf(text);
      const by = network && excluded.find((e) => e.prefix <= network.prefix && cidrContains(e, network));
      return by ? [{ path: ['when', key, i], message: `never matches: not_${key} excludes all of it` }] : [];
    });
  });
  return [...networks, ...time];
}

type Fields = Readonly<Record<string, unknown>>;

function mapOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function networkOf(value: unknown): ReturnType<typeof parseCidr> {
  return typeof value === 'string' ? parseCidr(value) : undefined;
}

function isBelow(value: unknown, limit: number): boolean {
  return typeof value === 'number' && value < limit;
}
