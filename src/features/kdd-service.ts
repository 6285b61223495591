import { PROTO } from '../domain/packet.js';

/** Service names of the KDD Cup 1999 tables, in alphabetical order as the NSL-KDD header lists them. */
export const KDD_SERVICES = (
  'aol auth bgp courier csnet_ns ctf daytime discard domain domain_u echo eco_i ecr_i efs exec finger ftp ftp_data ' +
  'gopher harvest hostnames http http_2784 http_443 http_8001 imap4 IRC iso_tsap klogin kshell ldap link login mtp ' +
  'name netbios_dgm netbios_ns netbios_ssn netstat nnsp nntp ntp_u other pm_dump pop_2 pop_3 printer private red_i ' +
  'remote_job rje shell smtp sql_net ssh sunrpc supdup systat telnet tftp_u tim_i time urh_i urp_i uucp uucp_path ' +
  'vmnet whois X11 Z39_50'
).split(' ');

const code = (name: string): number => KDD_SERVICES.indexOf(name);
const OTHER = code('other');
const PRIVATE = code('private');
const FIRST_PRIVATE_PORT = 49_152;

const TCP_PORTS: readonly (readonly [string, ...number[]])[] = [
  ['aol', 5190],
  ['auth', 113],
  ['bgp', 179],
  ['courier', 530],
  ['csnet_ns', 105],
  ['ctf', 84],
  ['daytime', 13],
  ['discard', 9],
  ['domain', 53],
  ['echo', 7],
  ['efs', 520],
  ['exec', 512],
  ['finger', 79],
  ['ftp', 21],
  ['ftp_data', 20],
  ['gopher', 70],
  ['hostnames', 101],
  ['http', 80],
  ['http_2784', 2784],
  ['http_443', 443],
  ['http_8001', 8001],
  ['imap4', 143],
  ['IRC', 194, 6665, 6666, 6667, 6668, 6669],
  ['iso_tsap', 102],
  ['klogin', 543],
  ['kshell', 544],
  ['ldap', 389],
  ['link', 87, 245],
  ['login', 513],
  ['mtp', 57, 1911],
  ['name', 42],
  ['netbios_dgm', 138],
  ['netbios_ns', 137],
  ['netbios_ssn', 139],
  ['netstat', 15],
  ['nnsp', 433],
  ['nntp', 119],
  ['pop_2', 109],
  ['pop_3', 110],
  ['printer', 515],
  ['remote_job', 71, 72, 73, 74],
  ['rje', 5, 77],
  ['shell', 514],
  ['smtp', 25],
  ['sql_net', 66, 150, 1521],
  ['ssh', 22],
  ['sunrpc', 111],
  ['supdup', 95],
  ['systat', 11],
  ['telnet', 23],
  ['time', 37],
  ['uucp', 540],
  ['uucp_path', 117],
  ['vmnet', 175],
  ['whois', 43],
  ['X11', 6000, 6001, 6002, 6003, 6004, 6005, 6006, 6007],
  ['Z39_50', 210],
];
const UDP_PORTS: readonly (readonly [string, ...number[]])[] = [
  ['domain_u', 53],
  ['ntp_u', 123],
  ['tftp_u', 69],
  ['time', 37],
];

function portTable(names: readonly (readonly [string, ...number[]])[]): Uint8Array {
  const table = new Uint8Array(65_536).fill(OTHER);
  table.fill(PRIVATE, FIRST_PRIVATE_PORT);
  for (const [name, ...ports] of names) for (const port of ports) table[port] = code(name);
  return table;
}
const TCP_TABLE = portTable(TCP_PORTS);
const UDP_TABLE = portTable(UDP_PORTS);

const ICMP_OTHER = code('urp_i');
const ICMP_ECHO = code('eco_i');
const ICMP_ECHO_REPLY = code('ecr_i');

/** ICMP in KDD: echo request, echo reply, time exceeded, redirect, host or port unreachable; the rest as urp_i. */
function icmpService(proto: number, type: number, icmpCode: number): number {
  if (proto === PROTO.ICMPV6) {
    if (type === 128) return ICMP_ECHO;
    if (type === 129) return ICMP_ECHO_REPLY;
    if (type === 3) return code('tim_i');
    return type === 137 ? code('red_i') : ICMP_OTHER;
  }
  if (type === 8) return ICMP_ECHO;
  if (type === 0) return ICMP_ECHO_REPLY;
  if (type === 11) return code('tim_i');
  if (type === 5) return code('red_i');
  return type === 3 && icmpCode === 1 ? code('urh_i') : ICMP_OTHER;
}

/**
 * KDD service of a connection, as an index into {@link KDD_SERVICES}. Ports without a KDD name are `other` below 49152
 * and `private` from there on (RFC 6335: dynamic or private ports).
 * @param port port of the responder. @param icmp type and code of the first packet, for ICMP.
 */
export function kddService(proto: number, port: number, icmp: { type: number; code: number }): number {
  if (proto === PROTO.TCP) return TCP_TABLE[port]!;
  if (proto === PROTO.UDP) return UDP_TABLE[port]!;
  return icmpService(proto, icmp.type, icmp.code);
}
