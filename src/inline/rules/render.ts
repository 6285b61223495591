import { HOOKS, type Hook, type InlineOptions } from '../options.js';
import { marksFrom } from './marks.js';

/** Name of the nft table, and of the chain in iptables' mangle table. */
export const TABLE = 'portcullis_inline';
export const CHAIN = 'PORTCULLIS_INLINE';
/** Our chains stand around iptables' mangle chains (-150), where NFQUEUE is: choose, queue, settle. */
const CHOOSE_PRIORITY = -160;
const SETTLE_PRIORITY = -140;

const hex = (value: number): string => `0x${value.toString(16).padStart(8, '0')}`;

/** How packets reach the queue. */
export type Backend = 'nft' | 'iptables';

/**
 * The table as one nft script. Packets are chosen and marked by it; protected and allowed addresses leave first. Named
 * counters say what the kernel did without asking.
 */
export function renderTable(options: InlineOptions, backend: Backend): string {
  const out = [`add table inet ${TABLE}`, `delete table inet ${TABLE}`, `table inet ${TABLE} {`];
  for (const name of ['exempt', 'cut', 'bypassed', 'chosen', 'unwatched']) out.push(`  counter ${name} {`, '  }');
  out.push('  set alive {', '    typeof meta nfproto', '    flags timeout', '  }');
  for (const [name, type] of SETS)
    out.push(`  set ${name} {`, `    type ${type}`, '    flags interval', '    auto-merge', '  }');
  out.push(
    ...queueChain(options, backend),
    ...acknowledgementChains(),
    ...passedChain(options),
    ...chooseChain(options),
    ...settleChain(options),
  );
  for (const hook of HOOKS) {
    if (!options.hooks.includes(hook)) continue;
    const loopback = hook === 'output' ? ['oifname "lo" return'] : hook === 'input' ? ['iifname "lo" return'] : [];
    out.push(
      ...baseChain(`choose_${hook}`, hook, CHOOSE_PRIORITY, [...loopback, ...interfaceRules(options), 'goto choose']),
    );
    out.push(...baseChain(`settle_${hook}`, hook, SETTLE_PRIORITY, ['goto settle']));
  }
  out.push('}');
  const nets = options.networks.map(versioned);
  for (const version of [4, 6] as const) {
    const list = nets.filter((n) => n.version === version).map((n) => n.text);
    if (list.length > 0) out.push(`add element inet ${TABLE} network${version} { ${list.join(', ')} }`);
  }
  return out.join('\n') + '\n';
}

const SETS = [
  ['exempt4', 'ipv4_addr'],
  ['exempt6', 'ipv6_addr'],
  ['network4', 'ipv4_addr'],
  ['network6', 'ipv6_addr'],
] as const;

/** Replaces the exempt addresses in one transaction. */
export function renderExempt(addresses: Iterable<string>): string {
  const list = [...addresses].map(versioned);
  const out: string[] = [];
  for (const version of [4, 6] as const) {
    out.push(`flush set inet ${TABLE} exempt${version}`);
    const own = list.filter((a) => a.version === version).map((a) => a.text);
    if (own.length > 0) out.push(`add element inet ${TABLE} exempt${version} { ${own.join(', ')} }`);
  }
  return out.join('\n') + '\n';
}

export const renderRemoval = (): string => `add table inet ${TABLE}\ndelete table inet ${TABLE}\n`;

/** Input of `iptables-nft-restore --noflush`: the chain with the queue rule. Hooks jump to it by rules of their own. */
export function renderIptables(options: InlineOptions): string {
  const { queue } = marksFrom(options.mark_bit);
  const { first, fanout } = options.queue;
  const numbers = fanout === 1 ? `--queue-num ${first}` : `--queue-balance ${first}:${first + fanout - 1}`;
  const bypass = options.fail === 'open' ? ' --queue-bypass' : '';
  const rule = `-A ${CHAIN} -m mark --mark ${hex(queue)}/${hex(queue)} -j NFQUEUE ${numbers}${bypass}`;
  return ['*mangle', `:${CHAIN} - [0:0]`, rule, 'COMMIT', ''].join('\n');
}

export const hookChain = (hook: Hook): string => hook.toUpperCase();

function queueChain(options: InlineOptions, backend: Backend): string[] {
  const { queue } = marksFrom(options.mark_bit);
  const { first, fanout } = options.queue;
  const numbers = fanout === 1 ? String(first) : `${first}-${first + fanout - 1}`;
  const isOpen = options.fail === 'open';
  const statement =
    backend === 'nft' ? `queue num ${numbers}${isOpen ? ' bypass' : ''}` : `meta mark set meta mark | ${hex(queue)}`;
  // An element of `alive` lives as long as the daemon renews it: without life nothing is queued.
  return [
    '  chain to_queue {',
    ...(isOpen ? ['    meta nfproto != @alive counter name unwatched return'] : []),
    '    counter name chosen',
    `    ${statement}`,
    '  }',
  ];
}

function chooseChain(options: InlineOptions): string[] {
  const { pass, passReply, cut, all, own } = marksFrom(options.mark_bit);
  return [
    '  chain choose {',
    `    ct mark & ${hex(pass | passReply)} != 0 jump passed`,
    `    meta mark & ${hex(all)} == ${hex(own)} return`,
    ...['ip saddr @exempt4', 'ip daddr @exempt4', 'ip6 saddr @exempt6', 'ip6 daddr @exempt6'].map(
      (match) => `    ${match} counter name exempt return`,
    ),
    `    ct mark & ${hex(cut)} != 0 ${isOpening(all)}`,
    `    ct mark & ${hex(cut)} != 0 counter name cut drop`,
    ...networkRules(options),
    ...serviceRules(options.services),
    '  }',
  ];
}

/** A new connection may use the ports of one that was cut or let pass. */
const isOpening = (all: number): string => `tcp flags & (syn | ack) == syn ct mark set ct mark & ${hex(~all >>> 0)}`;

/**
 * A connection of which one direction, or both, needs no further look: it meets these rules before all others. How it opens and
 * ends is still judged, else its ports would keep what it was allowed. Of the other direction bare acknowledgements pass, too:
 * they carry nothing, and what they say is about bytes that nobody looks at. Some are judged all the same, so that a long
 * download is not taken for a connection that fell silent.
 */
function passedChain(options: InlineOptions): string[] {
  const { pass, passReply, cut, all } = marksFrom(options.mark_bit);
  const accepted = 'counter name bypassed accept';
  return [
    '  chain passed {',
    `    ${isOpening(all)} return`,
    `    tcp flags & (fin | syn | rst) != 0 return`,
    `    ct mark & ${hex(cut)} != 0 return`,
    `    ct direction original ct mark & ${hex(pass)} != 0 ${accepted}`,
    `    ct direction reply ct mark & ${hex(passReply)} != 0 ${accepted}`,
    '    goto acknowledgements',
    '  }',
  ];
}

/** Bare acknowledgements of all connections that are judged though the bytes that they are about are not. */
const JUDGED_ACKS = '100/second burst 20 packets';
/** Data offsets of a TCP header, in words of four bytes: with timestamps, without options, with selective acknowledgements, others. */
const TCP_WORDS = [8, 5, 11, 13, 15, 6, 7, 9, 10, 12, 14];

/**
 * What has no data: the length in the IP header leaves no room for any. IP options and extension headers do not fit into that either,
 * such packets are judged. One rule for each length: a set of pairs makes the nft of Debian 12 end while it lists the table.
 */
function acknowledgementChains(): string[] {
  return [
    '  chain acknowledged {',
    `    limit rate over ${JUDGED_ACKS} counter name bypassed accept`,
    '  }',
    '  chain acknowledgements {',
    ...TCP_WORDS.flatMap((words) => [
      `    tcp doff ${words} ip length ${20 + 4 * words} goto acknowledged`,
      `    tcp doff ${words} ip6 length ${4 * words} goto acknowledged`,
    ]),
    '  }',
  ];
}

function networkRules({ networks }: InlineOptions): string[] {
  if (networks.length === 0) return [];
  return [
    '    meta nfproto ipv4 ip saddr != @network4 ip daddr != @network4 return',
    '    meta nfproto ipv6 ip6 saddr != @network6 ip6 daddr != @network6 return',
  ];
}

function serviceRules(services: readonly string[]): string[] {
  if (services.length === 0) return ['    goto to_queue'];
  const ports = new Map<string, string[]>();
  const out: string[] = [];
  for (const service of services) {
    const [proto = '', port] = service.split('/');
    if (port === undefined) out.push(`    meta l4proto ${proto === 'icmpv6' ? 'ipv6-icmp' : proto} goto to_queue`);
    else ports.set(proto, [...(ports.get(proto) ?? []), port]);
  }
  for (const [proto, list] of ports)
    for (const side of ['dport', 'sport']) out.push(`    ${proto} ${side} { ${list.join(', ')} } goto to_queue`);
  return out;
}

function interfaceRules({ interfaces }: InlineOptions): string[] {
  if (interfaces.length === 0) return [];
  const list = interfaces.map((name) => `"${name}"`).join(', ');
  return [`iifname != { ${list} } oifname != { ${list} } return`];
}

/** What a verdict asked for by the packet's mark is remembered at the connection; then our bits leave the packet. */
function settleChain(options: InlineOptions): string[] {
  const { pass, passReply, cut, all, own } = marksFrom(options.mark_bit);
  const says = (bit: number): string => `meta mark & ${hex(bit)} == ${hex(bit)}`;
  const remember = (bit: number): string => `ct mark set ct mark | ${hex(bit)}`;
  return [
    '  chain settle {',
    `    meta mark & ${hex(all)} == 0 return`,
    `    meta mark & ${hex(all)} == ${hex(own)} return`,
    `    ${says(cut)} ${remember(cut)} counter name cut drop`,
    `    ${says(pass)} ct direction original ${remember(pass)}`,
    `    ${says(pass)} ct direction reply ${remember(passReply)}`,
    `    meta mark set meta mark & ${hex(~all >>> 0)}`,
    '  }',
  ];
}

function baseChain(name: string, hook: Hook, priority: number, rules: readonly string[]): string[] {
  return [
    `  chain ${name} {`,
    `    type filter hook ${hook} priority ${priority}; policy accept;`,
    ...rules.map((rule) => `    ${rule}`),
    '  }',
  ];
}

const versioned = (text: string): { version: 4 | 6; text: string } => ({ version: text.includes(':') ? 6 : 4, text });
