import { z } from 'zod';
import { canonicalAddress, formatIp, formatIpWords, parseIp } from '../../util/ip.js';

/** Addresses found in the outputs and files of the box. All parsers skip what they do not understand. */

const ipLink = z.object({
  ifname: z.string(),
  addr_info: z.array(z.object({ local: z.string().optional() })).default([]),
});

/** `ip -j addr`: every address of every interface. */
export function parseIpAddr(json: string): { address: string; interfaceName: string }[] {
  return parseItems(json, ipLink).flatMap((link) =>
    link.addr_info.flatMap((info) => {
      const address = canonicalAddress(info.local ?? '');
      return address === undefined ? [] : [{ address, interfaceName: link.ifname }];
    }),
  );
}

const nextHop = z.object({
  gateway: z.string().optional(),
  via: z.object({ host: z.string().optional() }).optional(),
  dev: z.string().optional(),
});
const ipRoute = nextHop.extend({ dst: z.string().optional(), nexthops: z.array(nextHop).default([]) });

/** `ip -j route show table all` of either family: every gateway. */
export function parseIpRoute(json: string): { gateway: string; interfaceName: string; destination: string }[] {
  const out: { gateway: string; interfaceName: string; destination: string }[] = [];
  for (const route of parseItems(json, ipRoute)) {
    for (const hop of [route, ...route.nexthops]) {
      const gateway = canonicalAddress(hop.gateway ?? hop.via?.host ?? '');
      if (gateway === undefined) continue;
      out.push({ gateway, interfaceName: hop.dev ?? route.dev ?? '?', destination: route.dst ?? '?' });
    }
  }
  return out;
}

/** Items of a JSON list that have the shape; others are skipped. */
function parseItems<T>(json: string, shape: z.ZodType<T>): T[] {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return [];
  }
  return (Array.isArray(value) ? value : []).flatMap((item) => {
    const parsed = shape.safeParse(item);
    return parsed.success ? [parsed.data] : [];
  });
}

/** resolv.conf(5): `nameserver` lines; zone identifiers are dropped. */
export function parseResolvConf(text: string): string[] {
  return words(text, /^nameserver$/i).flatMap((w) => canonicalAddress((w[0] ?? '').replace(/%.*$/, '')) ?? []);
}

/** chrony.conf(5), `*.sources` and ntp.conf(5): names and addresses of `server`, `peer` and `pool` lines. */
export function parseNtpConf(text: string): string[] {
  return words(text, /^(server|peer|pool)$/i).flatMap((w) => w.find((x) => !x.startsWith('-')) ?? []);
}

/** timesyncd.conf(5): `NTP=` and `FallbackNTP=`. */
export function parseTimesyncdConf(text: string): string[] {
  const out: string[] = [];
  for (const match of text.matchAll(/^\s*(?:Fallback)?NTP\s*=(.*)$/gim)) {
    out.push(...(match[1] ?? '').split(/\s+/).filter((w) => w !== ''));
  }
  return out;
}

/** DHCP servers in leases of systemd-networkd, NetworkManager (`SERVER_ADDRESS=`) and dhclient. */
export function parseDhcpLease(text: string): string[] {
  const found = new Set<string>();
  for (const match of text.matchAll(/(?:^SERVER_ADDRESS=|dhcp-server-identifier\s+)([0-9a-fA-F.:]+)/gm)) {
    const address = canonicalAddress(match[1] ?? '');
    if (address !== undefined) found.add(address);
  }
  return [...found];
}

/** sshd_config(5): `Port` and the port of `ListenAddress`. */
export function parseSshdPorts(text: string): number[] {
  const ports = words(text, /^port$/i).map((w) => Number(w[0]));
  for (const [address] of words(text, /^listenaddress$/i)) {
    const port = /^(?:\[[^\]]+\]|[^:]+):(\d+)$/.exec(address ?? '')?.[1];
    if (port !== undefined) ports.push(Number(port));
  }
  return ports.filter((p) => Number.isInteger(p) && p > 0 && p < 65_536);
}

/** Words after a keyword at the start of a line; comments are skipped. */
export function words(text: string, keyword: RegExp): string[][] {
  const out: string[][] = [];
  for (const line of text.split('\n')) {
    const parts = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/[\s=]+/);
    if (parts.length > 1 && keyword.test(parts[0] ?? '')) out.push(parts.slice(1));
  }
  return out;
}

export interface TcpConnection {
  localPort: number;
  peer: string;
  peerPort: number;
  inode: string;
}

const ESTABLISHED = '01';

/** /proc/net/tcp and tcp6: established connections. */
export function parseProcTcp(text: string): TcpConnection[] {
  const out: TcpConnection[] = [];
  for (const line of text.split('\n').slice(1)) {
    const f = line.trim().split(/\s+/);
    if (f[3] !== ESTABLISHED) continue;
    const [, localPort] = (f[1] ?? '').split(':');
    const [peerHex, peerPort] = (f[2] ?? '').split(':');
    const peer = parseProcAddress(peerHex ?? '');
    if (peer === undefined) continue;
    out.push({
      localPort: parseInt(localPort ?? '', 16),
      peer,
      peerPort: parseInt(peerPort ?? '', 16),
      inode: f[9] ?? '',
    });
  }
  return out;
}

/** Hex of an address in host byte order, word by word, as the kernel prints it on a little-endian machine. */
function parseProcAddress(hex: string): string | undefined {
  if (!/^([0-9A-Fa-f]{8}|[0-9A-Fa-f]{32})$/.test(hex)) return undefined;
  const w: number[] = [];
  for (let i = 0; i < hex.length; i += 8) w.push(Buffer.from(hex.slice(i, i + 8), 'hex').readUInt32LE());
  const text = w.length === 1 ? formatIpWords(4, 0, 0, 0, w[0]!) : formatIpWords(6, w[0]!, w[1]!, w[2]!, w[3]!);
  const ip = parseIp(text);
  return ip && formatIp(ip);
}

const UTMP_RECORD_BYTES = 384;
const USER_PROCESS = 7;

/** utmp(5) of Linux: remote addresses of people who are logged in. */
export function parseUtmp(data: Buffer): { user: string; address: string }[] {
  const out: { user: string; address: string }[] = [];
  for (let at = 0; at + UTMP_RECORD_BYTES <= data.length; at += UTMP_RECORD_BYTES) {
    if (data.readInt16LE(at) !== USER_PROCESS) continue;
    const user = data.toString('latin1', at + 44, at + 76).replace(/\0.*$/s, '');
    const w = [0, 4, 8, 12].map((o) => data.readUInt32BE(at + 348 + o));
    if (w.every((x) => x === 0)) continue;
    const isV4 = w[1] === 0 && w[2] === 0 && w[3] === 0;
    const ip = parseIp(isV4 ? formatIpWords(4, 0, 0, 0, w[0]!) : formatIpWords(6, w[0]!, w[1]!, w[2]!, w[3]!));
    if (ip) out.push({ user, address: formatIp(ip) });
  }
  return out;
}

/** A session of systemd-logind, `/run/systemd/sessions/ID`, as sd-login(3) reads it: the address from which somebody is logged in. */
export function parseLogindSession(text: string): { user: string; address: string } | undefined {
  const value = (key: string): string | undefined => new RegExp(`^${key}=(.*)$`, 'm').exec(text)?.[1];
  const address = canonicalAddress(value('REMOTE_HOST') ?? '');
  if (address === undefined || value('REMOTE') !== '1' || value('STATE') === 'closing') return undefined;
  return { user: value('USER') ?? '', address };
}

/** Process title of an sshd session after login: `sshd: alice@pts/0`, `sshd-session: alice@notty`. */
export function isAuthenticatedSshd(cmdline: string): boolean {
  return /^sshd(-session)?: [^\s[\]]+@[^\s[\]]+$/.test(cmdline.replace(/\0+$/, '').trim());
}
