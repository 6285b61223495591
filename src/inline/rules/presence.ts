import type { Hook } from '../options.js';
import type { Dumper } from './dump.js';
import { CHAIN, hookChain, TABLE, type Backend } from './render.js';

/** Numbers of nf_tables (include/uapi/linux/netfilter/nf_tables.h). */
const SUBSYSTEM = 10 << 8;
const NEW_RULE = SUBSYSTEM | 6;
const GET_RULE = SUBSYSTEM | 7;
const ATTR = { TABLE: 1, CHAIN: 2 } as const;
const FAMILY = { INET: 1, IP4: 2, IP6: 10 } as const;

interface Wanted {
  family: number;
  table: string;
  chain: string;
  /** The chain that one of its rules must name; empty: any rule will do. */
  names: string;
}

/**
 * Whether every chain on the way to the queue has its rules. A reload of the box's firewall takes away what is ours in
 * iptables' table and leaves our own, or both; packets then pass unjudged, and nothing else would show it. What the kernel
 * did not answer in full counts as there.
 */
export function areRulesThere(dumper: Dumper, hooks: readonly Hook[], backend: Backend): boolean {
  return wanted(hooks, backend).every(({ family, table, chain, names }) => {
    let isFound = false;
    const request = { type: GET_RULE, family, where: [[ATTR.TABLE, table] as const, [ATTR.CHAIN, chain] as const] };
    const isWhole = dumper.each(request, ({ type, payload }) => {
      isFound ||= type === NEW_RULE && payload.includes(names);
    });
    return isFound || !isWhole;
  });
}

function wanted(hooks: readonly Hook[], backend: Backend): Wanted[] {
  const own = ['to_queue', 'choose', 'settle', ...hooks.flatMap((hook) => [`choose_${hook}`, `settle_${hook}`])];
  const out = own.map((chain): Wanted => ({ family: FAMILY.INET, table: TABLE, chain, names: '' }));
  if (backend === 'nft') return out;
  for (const family of [FAMILY.IP4, FAMILY.IP6]) {
    out.push({ family, table: 'mangle', chain: CHAIN, names: '' });
    out.push(...hooks.map((hook) => ({ family, table: 'mangle', chain: hookChain(hook), names: CHAIN })));
  }
  return out;
}
