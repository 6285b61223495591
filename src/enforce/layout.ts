import type { KeyType } from './element.js';
import type { EnforceOptions } from './options.js';

/**
 * What a set is for, in the order in which packets meet it. `svc`, `flow`, `slow`, `block`, `feed` and `watch` look at
 * the source of a packet, `svcout` and `out` at its destination, `protect` and `allow` at both.
 */
export const SET_ROLES = [
  'protect',
  'allow',
  'svc',
  'flow',
  'slow',
  'block',
  'feed',
  'watch',
  'svcout',
  'out',
] as const;
export type SetRole = (typeof SET_ROLES)[number];

export interface SetSpec {
  name: string;
  role: SetRole;
  version: 4 | 6;
  /** Prefix length to which the address is masked before the lookup. */
  prefix: number;
  key: KeyType;
  size: number;
  hasTimeout: boolean;
  /** Statements every element carries: a packet counter, a rate limit. */
  counter: boolean;
  limitPps?: number;
}

/** The sets of the table, and what the rules around them need to know. */
export interface Layout {
  table: string;
  families: readonly ('inet' | 'bridge')[];
  sets: Map<string, SetSpec>;
  /** Interfaces whose ingress hook is screened: those of the options that are there. */
  ingress: readonly string[];
  options: EnforceOptions;
}

const names = new Map<SetRole, { 4: string[]; 6: string[] }>(SET_ROLES.map((role) => [role, { 4: [], 6: [] }]));

/** Name of a set, made once: a hundred thousand elements share it. */
export function setName(role: SetRole, version: 4 | 6, prefix: number): string {
  const known = names.get(role)![version];
  return (known[prefix] ??= `${role}${version}_${prefix}`);
}

const EXEMPT_SIZE = 65_536;

/** Exempting roles accept any prefix length, because their meaning must stay exact: a set is added when first needed. */
export function isExempting(role: SetRole): boolean {
  return role === 'protect' || role === 'allow';
}

export function specFor(role: SetRole, version: 4 | 6, prefix: number, options: EnforceOptions): SetSpec {
  const exempt = isExempting(role);
  const key: KeyType = role === 'svc' || role === 'svcout' ? 'service' : role === 'flow' ? 'flow' : 'address';
  return {
    name: setName(role, version, prefix),
    role,
    version,
    prefix,
    key,
    size: exempt ? EXEMPT_SIZE : options.set_size,
    hasTimeout: role !== 'protect',
    counter: !exempt && role !== 'feed',
    ...(role === 'slow' ? { limitPps: options.rate_limit_pps } : {}),
  };
}

/** The table as the options want it. */
export function createLayout(options: EnforceOptions): Layout {
  const sets = new Map<string, SetSpec>();
  const add = (role: SetRole, version: 4 | 6, prefix: number): void => {
    const spec = specFor(role, version, prefix, options);
    sets.set(spec.name, spec);
  };
  for (const version of [4, 6] as const) {
    const full = version === 4 ? 32 : 128;
    for (const role of SET_ROLES) {
      for (const prefix of lengthsOf(role, version, options)) add(role, version, prefix);
    }
    add('protect', version, full);
  }
  const families = options.bridge ? (['inet', 'bridge'] as const) : (['inet'] as const);
  return { table: options.table, families, sets, ingress: options.ingress_interfaces, options };
}

/** Prefix lengths that a role has sets for from the start, longest first. */
export function lengthsOf(role: SetRole, version: 4 | 6, options: EnforceOptions): readonly number[] {
  const full = version === 4 ? 32 : 128;
  const masked = version === 4 ? options.prefix_lengths4 : options.prefix_lengths6;
  switch (role) {
    case 'protect':
    case 'flow':
      return [full];
    case 'allow':
      return version === 4 ? [32, 24] : [128, 64];
    case 'svc':
    case 'svcout':
    case 'out':
      return version === 4 ? [32] : [128, 64];
    default:
      return masked;
  }
}
