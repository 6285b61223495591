/**
 * The lab's network. Every host is a network namespace; nothing of it exists outside them.
 *
 *   attacker ─┐
 *             ├─ (switch) ── wan0 router lan0 ── victim
 *   client  ──┘              mgmt0
 *                              └── siem
 *
 * Portcullis runs on `router`. Attacker and client share the outside segment, so `wan0` sees all of their
 * traffic once. Beyond the switch there is nothing: it is the default gateway and swallows what it gets, so
 * replies to forged sources leave by `wan0`, as on a real uplink.
 */
export const HOSTS = ['switch', 'router', 'attacker', 'client', 'victim', 'siem'] as const;
export type HostName = (typeof HOSTS)[number];

interface Interface {
  name: string;
  ip4: string;
  prefix4: number;
  ip6: string;
  prefix6: number;
}

const OUTSIDE = { prefix4: 17, prefix6: 64 };
const INSIDE = { prefix4: 24, prefix6: 64 };

export const ROUTER_INTERFACES = {
  wan0: { name: 'wan0', ip4: '10.77.0.1', ip6: 'fd77:0:0:1::1', ...OUTSIDE },
  lan0: { name: 'lan0', ip4: '10.77.128.1', ip6: 'fd77:0:0:2::1', ...INSIDE },
  mgmt0: { name: 'mgmt0', ip4: '10.77.129.1', ip6: 'fd77:0:0:3::1', ...INSIDE },
} as const satisfies Record<string, Interface>;

/** First address of each host with one interface, `eth0`. */
export const ADDRESS = {
  switch: { ip4: '10.77.0.254', ip6: 'fd77:0:0:1::fe' },
  router: { ip4: ROUTER_INTERFACES.wan0.ip4, ip6: ROUTER_INTERFACES.wan0.ip6 },
  attacker: { ip4: '10.77.66.10', ip6: 'fd77:0:0:1::66:10' },
  client: { ip4: '10.77.20.10', ip6: 'fd77:0:0:1::20:10' },
  victim: { ip4: '10.77.128.10', ip6: 'fd77:0:0:2::10' },
  siem: { ip4: '10.77.129.10', ip6: 'fd77:0:0:3::10' },
} as const satisfies Record<HostName, { ip4: string; ip6: string }>;

/** Addresses of the attacker: .10 to .209. Training runs use the lower half, evaluation runs the upper. */
export const ATTACKER_ADDRESSES: readonly string[] = range(10, 209).map((i) => `10.77.66.${i}`);
/** Addresses of the benign client: .10 to .69. */
export const CLIENT_ADDRESSES: readonly string[] = range(10, 69).map((i) => `10.77.20.${i}`);
/** Addresses of the victim's segment that answer: the victim has sixteen, as a small server network. */
export const VICTIM_ADDRESSES: readonly string[] = range(10, 25).map((i) => `10.77.128.${i}`);
/** The victim's segment, for sweeps. */
export const VICTIM_NETWORK = '10.77.128.0/24';

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

interface Link {
  a: [host: HostName, device: string];
  b: [host: HostName, device: string];
}

const LINKS: readonly Link[] = [
  { a: ['switch', 'p0'], b: ['router', 'wan0'] },
  { a: ['switch', 'p1'], b: ['attacker', 'eth0'] },
  { a: ['switch', 'p2'], b: ['client', 'eth0'] },
  { a: ['router', 'lan0'], b: ['victim', 'eth0'] },
  { a: ['router', 'mgmt0'], b: ['siem', 'eth0'] },
];

/** Commands for one `ip -batch` run in the root namespace that make the links. */
export function linkCommands(netnsOf: (host: HostName) => string): string[] {
  return LINKS.map(({ a, b }) => {
    const [ans, bns] = [netnsOf(a[0]), netnsOf(b[0])];
    return `link add ${a[1]} netns ${ans} type veth peer name ${b[1]} netns ${bns}`;
  });
}

/** Devices of a host that carry traffic. */
export function devicesOf(host: HostName): string[] {
  return LINKS.flatMap(({ a, b }) => [a, b]).flatMap(([name, device]) => (name === host ? [device] : []));
}

/** Commands for one `ip -batch` run inside a host's namespace: addresses, links up, routes. */
export function hostCommands(host: HostName): string[] {
  const up = ['lo', ...devicesOf(host)].map((device) => `link set ${device} up`);
  if (host === 'switch') return [...switchCommands(), ...up];
  if (host === 'router')
    return [...Object.values(ROUTER_INTERFACES).flatMap(addressCommands), ...up, ...routerRoutes()];
  const gateway = gatewayOf(host);
  const { ip4, ip6 } = ADDRESS[host];
  const first = { name: 'eth0', ip4, ip6, prefix4: gateway.prefix4, prefix6: gateway.prefix6 };
  const more = MORE_ADDRESSES[host].map((ip) => `address add ${ip}/${gateway.prefix4} dev eth0`);
  return [
    ...addressCommands(first),
    ...more,
    ...up,
    `route add default via ${gateway.ip4}`,
    `route add ::/0 via ${gateway.ip6}`,
  ];
}

const MORE_ADDRESSES: Record<'attacker' | 'client' | 'victim' | 'siem', readonly string[]> = {
  attacker: ATTACKER_ADDRESSES.slice(1),
  client: CLIENT_ADDRESSES.slice(1),
  victim: VICTIM_ADDRESSES.slice(1),
  siem: [],
};

function gatewayOf(host: HostName): Interface {
  if (host === 'victim') return ROUTER_INTERFACES.lan0;
  return host === 'siem' ? ROUTER_INTERFACES.mgmt0 : ROUTER_INTERFACES.wan0;
}

function addressCommands({ name, ip4, prefix4, ip6, prefix6 }: Interface): string[] {
  return [`address add ${ip4}/${prefix4} dev ${name}`, `address add ${ip6}/${prefix6} dev ${name} nodad`];
}

function switchCommands(): string[] {
  const outside = { name: 'br0', ...ADDRESS.switch, ...OUTSIDE };
  return [
    'link add br0 type bridge',
    ...devicesOf('switch').map((port) => `link set ${port} master br0`),
    ...addressCommands(outside),
    'link set br0 up',
    'route add blackhole default',
    'route add blackhole ::/0',
  ];
}

function routerRoutes(): string[] {
  return [`route add default via ${ADDRESS.switch.ip4}`, `route add ::/0 via ${ADDRESS.switch.ip6}`];
}

/** Kernel settings of each host. */
export function sysctls(host: HostName): Record<string, string> {
  const all = { 'net.ipv6.conf.all.accept_ra': '0', 'net.ipv6.conf.default.accept_dad': '0' };
  // Forged sources must reach the victim as they would across an uplink; the switch only swallows.
  const forward = { 'net.ipv4.ip_forward': '1', 'net.ipv6.conf.all.forwarding': '1' };
  if (host === 'router') return { ...all, ...forward, 'net.ipv4.conf.all.rp_filter': '0' };
  return host === 'switch' ? { ...all, ...forward, 'net.ipv4.conf.all.send_redirects': '0' } : all;
}
