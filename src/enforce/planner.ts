import { formatCidr, maskIp, parseCidr, parseIp, type Cidr, type IpAddress } from '../util/ip.js';
import type { SetElement } from './element.js';
import type { KeptDecision } from './journal-record.js';
import { lengthsOf, setName, type SetRole } from './layout.js';
import type { EnforceOptions } from './options.js';

/** The elements that carry out a decision, or why there are none. */
export type Plan = { elements: SetElement[]; note?: string } | { refused: string };

/** Most elements one decision may need when its prefix has no set of its own. */
export const MAX_COVER = 256;

/** Turns a decision into set elements. Simulated decisions and watches go to sets that count and never drop. */
export function planDecision(
  decision: KeptDecision,
  options: EnforceOptions,
  simulated: boolean,
  network = parseCidr(decision.value),
): Plan {
  if (!network) return { refused: `"${decision.value}" is not an address or prefix` };
  const full = network.version === 4 ? 32 : 128;
  if (decision.scope !== 'cidr' && network.prefix !== full && decision.scope !== 'service') {
    return { refused: `scope ${decision.scope} needs a single address, not ${decision.value}` };
  }
  if (simulated || decision.action === 'watch') return planAddresses(network, ['watch'], options);
  if (decision.scope === 'flow') return planFlow(decision, network);
  const from = decision.traffic !== 'to';
  const to = decision.traffic !== 'from';
  if (decision.scope === 'service') {
    return planService(decision, network, { from, to, options });
  }
  if (decision.action === 'rate_limit') {
    if (to) return { refused: 'a rate limit applies to traffic from an address only' };
    return planAddresses(network, ['slow'], options);
  }
  const blockRole = decision.origin === 'feed' ? 'feed' : 'block';
  return planAddresses(network, [...(from ? ([blockRole] as const) : []), ...(to ? (['out'] as const) : [])], options);
}

function planAddresses(network: Cidr, roles: readonly SetRole[], options: EnforceOptions): Plan {
  const elements: SetElement[] = [];
  let note: string | undefined;
  for (const role of roles) {
    const lengths = lengthsOf(role, network.version, options);
    if (lengths.includes(network.prefix)) {
      elements.push({ set: setName(role, network.version, network.prefix), ip: network });
      continue;
    }
    const cover = coverNetwork(network, lengths);
    if (!cover) return { refused: tooWide(network, role, options) };
    if (cover.length > 1) note = `covered by ${cover.length} /${cover[0]?.prefix ?? 0} elements`;
    for (const part of cover) elements.push({ set: setName(role, part.version, part.prefix), ip: part });
  }
  return note === undefined ? { elements } : { elements, note };
}

function planService(
  decision: KeptDecision,
  network: Cidr,
  how: { from: boolean; to: boolean; options: EnforceOptions },
): Plan {
  const { proto, port } = decision;
  if (decision.action === 'rate_limit') return { refused: 'a rate limit applies to whole addresses only' };
  if (proto === undefined || port === undefined) return { refused: 'scope service needs proto and port' };
  const bad = checkPort(proto, port);
  if (bad !== undefined) return { refused: bad };
  const plan = planAddresses(
    network,
    [...(how.from ? (['svc'] as const) : []), ...(how.to ? (['svcout'] as const) : [])],
    how.options,
  );
  if ('refused' in plan) return plan;
  return { ...plan, elements: plan.elements.map((e) => ({ ...e, proto, port })) };
}

function planFlow(decision: KeptDecision, network: Cidr): Plan {
  const { proto, port, peerPort } = decision;
  const peer = decision.peer === undefined ? undefined : parseIp(decision.peer);
  if (decision.action === 'rate_limit') return { refused: 'a rate limit applies to whole addresses only' };
  if (!peer || proto === undefined || port === undefined || peerPort === undefined) {
    return { refused: 'scope flow needs proto, port, peer and peerPort' };
  }
  if (peer.version !== network.version) return { refused: 'both ends of a flow must be of one address family' };
  const bad = checkPort(proto, port) ?? checkPort(proto, peerPort);
  if (bad !== undefined) return { refused: bad };
  const set = setName('flow', network.version, network.prefix);
  const forth: SetElement = { set, ip: network, peer, proto, sourcePort: peerPort, port };
  const back: SetElement = { set, ip: peer, peer: network, proto, sourcePort: port, port: peerPort };
  if (decision.traffic === 'from') return { elements: [forth] };
  return { elements: decision.traffic === 'to' ? [back] : [forth, back] };
}

function checkPort(proto: number, port: number): string | undefined {
  if (!Number.isInteger(proto) || proto < 0 || proto > 255) return `${proto} is not an IP protocol number`;
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return `${port} is not a port`;
  if (![6, 17, 33, 132, 136].includes(proto)) return `IP protocol ${proto} has no ports`;
  return undefined;
}

/**
 * The network as elements of the sets there are: one, if its prefix length has a set; otherwise all networks of the
 * next longer length inside it. Never wider than asked.
 * @returns undefined when more than {@link MAX_COVER} elements would be needed.
 */
export function coverNetwork(network: Cidr, lengths: readonly number[]): Cidr[] | undefined {
  if (lengths.includes(network.prefix)) return [network];
  const fits = lengths.filter((l) => l >= network.prefix);
  if (fits.length === 0) return undefined;
  const length = Math.min(...fits);
  const extra = length - network.prefix;
  if (2 ** extra > MAX_COVER) return undefined;
  const parts: Cidr[] = [];
  for (let i = 0; i < 2 ** extra; i++) parts.push(maskIp(addToPrefix(network, length, i), length));
  return parts;
}

/** The `index`-th network of length `prefix` counted from the start of the address. */
function addToPrefix(ip: IpAddress, prefix: number, index: number): IpAddress {
  const bit = ip.version === 4 ? prefix + 96 : prefix;
  const words: [number, number, number, number] = [...ip.words];
  let rest = BigInt(index) << BigInt(128 - bit);
  for (let i = 3; i >= 0; i--) {
    words[i as 0 | 1 | 2 | 3] = (words[i as 0 | 1 | 2 | 3] | Number(rest & 0xffffffffn)) >>> 0;
    rest >>= 32n;
  }
  return { version: ip.version, words };
}

function tooWide(network: Cidr, role: SetRole, options: EnforceOptions): string {
  const lengths = lengthsOf(role, network.version, options).map((l) => `/${l}`);
  return `${formatCidr(network)} would need more than ${MAX_COVER} elements of the lengths ${lengths.join(' ')}`;
}
