/** IP protocol names of what people meet; others stay numbers. */
const PROTOCOLS: Readonly<Record<number, string>> = {
  1: 'ICMP',
  2: 'IGMP',
  6: 'TCP',
  17: 'UDP',
  41: 'IPv6',
  47: 'GRE',
  50: 'ESP',
  58: 'ICMPv6',
  132: 'SCTP',
};

export function formatProto(proto: number | undefined): string {
  if (proto === undefined || proto === 0) return 'any';
  return PROTOCOLS[proto] ?? `proto ${proto}`;
}

/** `203.0.113.7:443`, `[2001:db8::1]:443`. */
export function formatEndpoint(ip: string, port: number): string {
  if (port === 0) return ip;
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}

interface Ends {
  offender: string;
  dstIp: string;
  srcPort: number;
  dstPort: number;
  /** Attacked ports, when they are counted. */
  ports?: readonly number[];
}

/** The one port that an offender attacked: behind an answer to it, the port that answered. None when there are several, or none. */
export function attackedPort({ offender, dstIp, srcPort, dstPort, ports = [] }: Ends): number | undefined {
  if (ports.length > 1) return undefined;
  return (offender === dstIp ? srcPort : dstPort) || undefined;
}

const IPV4 = /^(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}$/;

export function isAddress(text: string): boolean {
  if (IPV4.test(text)) return true;
  if (!text.includes(':') || !/^[0-9a-fA-F:.]+$/.test(text)) return false;
  try {
    return new URL(`http://[${text}]/`).hostname.length > 2;
  } catch {
    return false;
  }
}

/** An address, or a prefix such as `198.51.100.0/24`. */
export function isAddressOrPrefix(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  if (more.length > 0 || !isAddress(address)) return false;
  if (bits === undefined) return true;
  return /^\d{1,3}$/.test(bits) && Number(bits) <= (address.includes(':') ? 128 : 32);
}

/** Reads `203.0.113.7:443`, `[2001:db8::1]:443`, `203.0.113.7 443` or an address alone. */
export function parseTarget(text: string): { address: string; port?: number } | null {
  const trimmed = text.trim();
  const bracketed = /^\[([^\]]+)\](?::(\d{1,5}))?$/.exec(trimmed);
  const spaced = /^(\S+)\s+(\d{1,5})$/.exec(trimmed);
  const colon = /^([\d.]+):(\d{1,5})$/.exec(trimmed);
  const match = bracketed ?? spaced ?? colon;
  const address = match?.[1] ?? trimmed;
  const port = match?.[2] === undefined ? undefined : Number(match[2]);
  if (!isAddress(address)) return null;
  if (port === undefined) return { address };
  return port >= 1 && port <= 65535 ? { address, port } : null;
}

/** The surrounding prefix that is usual for a network-wide block: /24 or /64. */
export function surroundingPrefix(address: string): string {
  if (!address.includes(':')) return `${address.split('.').slice(0, 3).join('.')}.0/24`;
  const [head = '', tail = ''] = address.split('::');
  const left = head ? head.split(':') : [];
  const right = tail ? tail.split(':') : [];
  const groups = address.includes('::')
    ? [...left, ...Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0'), ...right]
    : left;
  const kept = groups.slice(0, 4);
  while (kept.length > 0 && /^0*$/.test(kept[kept.length - 1] ?? '')) kept.pop();
  return `${kept.join(':')}::/64`;
}
