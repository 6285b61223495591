import { crc32 } from 'node:zlib';
import { formatIpv6, maskIp } from '../util/ip.js';
import { elementKeyText, type SetElement } from './element.js';
import { isExempting, type Layout, type SetRole, type SetSpec } from './layout.js';

/** An element and how long it still has to live. */
export interface TimedElement {
  element: SetElement;
  /** Milliseconds; 0 = until removed. */
  timeoutMs: number;
}

/** Counters of the table: what was stopped, by which kind of set. */
export const TABLE_COUNTERS = ['blocked', 'blocked_out', 'limited', 'feed', 'watched'] as const;

const ELEMENTS_PER_LINE = 2000;

/**
 * The whole table as one nft script: loading it is one transaction that replaces the table with all its elements, so
 * there is no moment without protection.
 */
export function renderRuleset(layout: Layout, elements: Iterable<TimedElement>): string {
  const out: string[] = [];
  for (const family of layout.families) {
    out.push(`add table ${family} ${layout.table}`, `delete table ${family} ${layout.table}`);
    out.push(...renderTable(layout, family), `add chain ${family} ${layout.table} ${layoutMark(layout)}`);
  }
  const list = [...elements];
  for (const family of layout.families) renderElements(out, `${family} ${layout.table}`, list);
  return out.join('\n') + '\n';
}

const marks = new WeakMap<Layout, string>();

/**
 * Name of an empty chain that says by which rules the table was made. Of the layout as it was first seen: exempting sets
 * that are added later do not make it another one.
 */
export function layoutMark(layout: Layout): string {
  const known = marks.get(layout);
  if (known !== undefined) return known;
  const whole = { ...layout, ingress: layout.options.ingress_interfaces };
  const text = layout.families.flatMap((family) => renderTable(whole, family)).join('\n');
  const mark = `layout_${crc32(text).toString(16).padStart(8, '0')}`;
  marks.set(layout, mark);
  return mark;
}

/**
 * The table without elements, as a script. Where the table is there, its sets keep their elements and go on blocking:
 * only chains and rules are made anew, in one transaction, and chains that are not ours go.
 * @param present chains of the table in the kernel, by family; none: the table is not there.
 */
export function renderStructure(layout: Layout, present: ReadonlyMap<string, readonly string[]>): string {
  const mark = layoutMark(layout);
  const out: string[] = [];
  for (const family of layout.families) {
    const table = `${family} ${layout.table}`;
    const chains = present.get(family);
    if (!chains) out.push(`add table ${table}`, `delete table ${table}`);
    const body = renderTable(layout, family);
    const ours = new Set(body.flatMap((line) => /^ {2}chain (\S+) \{/.exec(line)?.[1] ?? []).concat(mark));
    for (const chain of chains ?? []) out.push(`flush chain ${table} ${chain}`);
    for (const chain of chains ?? []) if (!ours.has(chain)) out.push(`delete chain ${table} ${chain}`);
    out.push(...body, `add chain ${table} ${mark}`);
  }
  return out.join('\n') + '\n';
}

/** Script that adds one exempting set with its rules to a loaded table. */
export function renderExtension(layout: Layout, spec: SetSpec): string {
  const out: string[] = [];
  for (const family of layout.families) {
    const table = `${family} ${layout.table}`;
    out.push(`add set ${table} ${spec.name} { ${setBody(spec).join('; ')}; }`);
    out.push(`add rule ${table} exempt${spec.version} ${addressMatch(spec, 'saddr')} accept`);
    out.push(`add rule ${table} exempt_out${spec.version} ${addressMatch(spec, 'daddr')} accept`);
  }
  return out.join('\n') + '\n';
}

function renderTable(layout: Layout, family: 'inet' | 'bridge'): string[] {
  const out = [`table ${family} ${layout.table} {`];
  for (const name of TABLE_COUNTERS) out.push(`  counter ${name} {`, '  }');
  for (const spec of layout.sets.values())
    out.push(`  set ${spec.name} {`, ...setBody(spec).map((l) => `    ${l}`), '  }');
  out.push(...stopChain(layout, 'deny', 'counter name blocked drop'));
  out.push(...stopChain(layout, 'deny_out', 'counter name blocked_out drop'));
  for (const version of [4, 6] as const) out.push(...screenChains(layout, version));
  out.push(...(family === 'bridge' ? bridgeChains(layout) : inetChains(layout)));
  out.push('}');
  return out;
}

function setBody(spec: SetSpec): string[] {
  const ip = spec.version === 4 ? 'ipv4_addr' : 'ipv6_addr';
  const type = {
    address: ip,
    service: `${ip} . inet_proto . inet_service`,
    flow: `${ip} . ${ip} . inet_proto . inet_service . inet_service`,
  }[spec.key];
  const body = [`type ${type}`, `size ${spec.size}`];
  if (spec.hasTimeout) body.push('flags timeout');
  if (spec.limitPps !== undefined) {
    body.push(`limit rate over ${spec.limitPps}/second burst ${spec.limitPps} packets counter`);
  } else if (spec.counter) body.push('counter');
  return body;
}

/** The log is limited in a rule of its own, so that the limit never lets a packet through. */
function stopChain(layout: Layout, name: string, stop: string): string[] {
  const { log_blocked: log, log_per_second: rate } = layout.options;
  const logRule = `    limit rate ${rate}/second burst ${rate * 4} packets log prefix "${layout.table}: "`;
  return [`  chain ${name} {`, ...(log ? [logRule] : []), `    ${stop}`, '  }'];
}

function screenChains(layout: Layout, version: 4 | 6): string[] {
  const rules = (roles: readonly SetRole[], side: 'saddr' | 'daddr', statement: string): string[] =>
    [...layout.sets.values()]
      .filter((s) => s.version === version && roles.includes(s.role))
      .map((s) => `    ${keyMatch(s, side)} ${statement}`);
  const exemptList = [...layout.sets.values()].filter((s) => s.version === version && isExempting(s.role));
  const exemptFor = (side: 'saddr' | 'daddr'): string[] => exemptList.map((s) => `    ${addressMatch(s, side)} accept`);
  return [
    `  chain exempt${version} {`,
    ...exemptFor('saddr'),
    '  }',
    `  chain exempt_out${version} {`,
    ...exemptFor('daddr'),
    '  }',
    `  chain screen${version} {`,
    `    jump exempt${version}`,
    ...rules(['svc', 'flow'], 'saddr', 'goto deny'),
    ...rules(['slow'], 'saddr', 'counter name limited drop'),
    ...rules(['block'], 'saddr', 'goto deny'),
    ...rules(['feed'], 'saddr', 'counter name feed drop'),
    ...rules(['watch'], 'saddr', 'counter name watched'),
    '  }',
    `  chain screen_out${version} {`,
    `    jump exempt_out${version}`,
    ...rules(['svcout', 'out'], 'daddr', 'goto deny_out'),
    '  }',
  ];
}

function addressMatch(spec: SetSpec, side: 'saddr' | 'daddr'): string {
  return `${addressField(spec, side)} @${spec.name}`;
}

function keyMatch(spec: SetSpec, side: 'saddr' | 'daddr'): string {
  const address = addressField(spec, side);
  if (spec.key === 'service') return `${address} . meta l4proto . th dport @${spec.name}`;
  if (spec.key === 'address') return `${address} @${spec.name}`;
  const ip = spec.version === 4 ? 'ip' : 'ip6';
  return `${ip} saddr . ${ip} daddr . meta l4proto . th sport . th dport @${spec.name}`;
}

function addressField(spec: SetSpec, side: 'saddr' | 'daddr'): string {
  const field = `${spec.version === 4 ? 'ip' : 'ip6'} ${side}`;
  return spec.prefix === (spec.version === 4 ? 32 : 128) ? field : `${field} & ${maskText(spec.version, spec.prefix)}`;
}

/** Netmask of a prefix length: `255.255.255.0`, `ffff:ffff:ffff:ffff::`. */
export function maskText(version: 4 | 6, prefix: number): string {
  const ones = { version, words: [-1 >>> 0, -1 >>> 0, -1 >>> 0, -1 >>> 0] } as const;
  const { words } = maskIp(ones, prefix);
  const w = words[3];
  if (version === 4) return `${w >>> 24}.${(w >>> 16) & 255}.${(w >>> 8) & 255}.${w & 255}`;
  return formatIpv6(words[0], words[1], words[2], w);
}

function inetChains(layout: Layout): string[] {
  const { hooks, egress_priority: egress, ingress_priority: ingress } = layout.options;
  const bySource = 'meta nfproto vmap { ipv4 : jump screen4, ipv6 : jump screen6 }';
  const byDestination = 'meta nfproto vmap { ipv4 : jump screen_out4, ipv6 : jump screen_out6 }';
  const out: string[] = [];
  for (const { hook, priority } of hooks) {
    out.push(...baseChain(`from_${hook}`, `hook ${hook} priority ${priority}`, ['iif "lo" accept', bySource]));
  }
  for (const device of layout.ingress) {
    const where = `hook ingress device "${device}" priority ${ingress}`;
    const rule = 'meta protocol vmap { ip : jump screen4, ip6 : jump screen6 }';
    out.push(...baseChain(`from_ingress_${device.replace(/[^A-Za-z0-9_]/g, '_')}`, where, [rule]));
  }
  out.push(...baseChain('to_forward', `hook forward priority ${egress}`, [byDestination]));
  out.push(...baseChain('to_output', `hook output priority ${egress}`, ['oif "lo" accept', byDestination]));
  return out;
}

function bridgeChains(layout: Layout): string[] {
  const priority = layout.options.egress_priority;
  const rule = (chain: string): string => `meta protocol vmap { ip : jump ${chain}4, ip6 : jump ${chain}6 }`;
  return [
    ...baseChain('from_prerouting', `hook prerouting priority ${priority}`, [rule('screen')]),
    ...baseChain('to_forward', `hook forward priority ${priority}`, [rule('screen_out')]),
  ];
}

function baseChain(name: string, where: string, rules: readonly string[]): string[] {
  return [`  chain ${name} {`, `    type filter ${where}; policy accept;`, ...rules.map((r) => `    ${r}`), '  }'];
}

function renderElements(out: string[], table: string, elements: readonly TimedElement[]): void {
  const bySet = new Map<string, string[]>();
  for (const { element, timeoutMs } of elements) {
    const list = bySet.get(element.set) ?? [];
    if (list.length === 0) bySet.set(element.set, list);
    list.push(elementKeyText(element) + (timeoutMs > 0 ? ` timeout ${Math.ceil(timeoutMs)}ms` : ''));
  }
  for (const [set, list] of bySet) {
    for (let i = 0; i < list.length; i += ELEMENTS_PER_LINE) {
      out.push(`add element ${table} ${set} { ${list.slice(i, i + ELEMENTS_PER_LINE).join(', ')} }`);
    }
  }
}
