import type { AppProto } from '../domain/app-layer.js';
import { looksLikeEnip } from './enip/parser.js';
import { looksLikeLdap } from './ldap/message.js';

export type Side = 'request' | 'response' | 'either';
export type Guess = readonly [AppProto, Side] | 'wait' | undefined;

interface Ports {
  srcPort: number;
  dstPort: number;
}

const ENIP_PORT = 44_818;
const u16 = (d: Uint8Array, at: number): number => d[at]! * 256 + d[at + 1]!;
const u32 = (d: Uint8Array, at: number): number => u16(d, at) * 65536 + u16(d, at + 2);
const either = (ports: Ports, ...known: number[]): boolean =>
  known.includes(ports.srcPort) || known.includes(ports.dstPort);
const latin1 = (d: Uint8Array, from: number, to: number): string =>
  Buffer.from(d.buffer, d.byteOffset + from, Math.max(0, Math.min(to, d.length) - from)).toString('latin1');

/** SMB in NetBIOS session service, or its session request before. */
function smb(d: Uint8Array): Guess {
  if (d[0] === 0x81 && d[1] === 0 && d.length >= 4 && u16(d, 2) >= 64 && u16(d, 2) <= 80) return ['smb', 'request'];
  if (d[0] !== 0) return undefined;
  if (d.length < 8) return d.length >= 5 && d[4] !== 0xff && d[4] !== 0xfe && d[4] !== 0xfd ? undefined : 'wait';
  const isSmb = (d[4] === 0xff || d[4] === 0xfe || d[4] === 0xfd) && latin1(d, 5, 8) === 'SMB';
  if (!isSmb) return undefined;
  if (d[4] === 0xff) return d.length < 14 ? 'wait' : ['smb', (d[13]! & 0x80) !== 0 ? 'response' : 'request'];
  return d.length < 24 ? 'wait' : ['smb', d[4] === 0xfe && (d[20]! & 1) !== 0 ? 'response' : 'request'];
}

/** A connection-oriented DCE/RPC header: version 5.0 or 5.1, a known packet type, a sound length. */
function dcerpc(d: Uint8Array): Guess {
  if (d[0] !== 5 || (d.length > 1 && d[1]! > 1)) return undefined;
  if (d.length < 16) return 'wait';
  const type = d[2]!;
  const length = d[4]! & 0x10 ? d[8]! + d[9]! * 256 : u16(d, 8);
  if (type > 19 || length < 16 || (d[4]! & 0xee) !== 0) return undefined;
  return ['dcerpc', type === 0 || type === 11 || type === 14 || type === 16 ? 'request' : 'response'];
}

/** X.224 connection request or confirm in a TPKT (T.123, MS-RDPBCGR 2.2.1.1). */
function rdp(d: Uint8Array): Guess {
  if (d[0] !== 3 || (d.length > 1 && d[1] !== 0)) return undefined;
  if (d.length < 7) return 'wait';
  if (u16(d, 2) < 7 || d[4]! + 5 > u16(d, 2)) return undefined;
  if (d[5] === 0xe0) return ['rdp', 'request'];
  return d[5] === 0xd0 ? ['rdp', 'response'] : undefined;
}

function mqtt(d: Uint8Array, ports: Ports, fromServer: boolean): Guess {
  if (d[0] === 0x10) {
    let at = 1;
    while (at < 5 && (d[at] ?? 0) > 127) at++;
    if (d.length < at + 7) return either(ports, 1883) ? 'wait' : undefined;
    const name = latin1(d, at + 3, at + 9);
    if (name.startsWith('MQTT') || name === 'MQIsdp') return ['mqtt', 'request'];
  }
  if (!either(ports, 1883) || d.length < 2) return either(ports, 1883) ? 'wait' : undefined;
  const type = d[0]! >> 4;
  const flags = d[0]! & 15;
  const isSound = type === 3 || flags === (type === 6 || type === 8 || type === 10 ? 2 : 0);
  return type > 0 && isSound ? ['mqtt', fromServer ? 'response' : 'request'] : undefined;
}

/** StartupMessage, SSLRequest, GSSENCRequest or CancelRequest of PostgreSQL. */
function pgsql(d: Uint8Array): Guess {
  if (d[0] !== 0 || (d.length > 1 && d[1] !== 0)) return undefined;
  if (d.length < 8) return d.length < 4 || (u32(d, 0) >= 8 && u32(d, 0) <= 10_000) ? 'wait' : undefined;
  const code = u32(d, 4);
  const isRequest = u32(d, 0) === 8 ? code === 80_877_103 || code === 80_877_104 : code === 196_608;
  return isRequest ? ['pgsql', 'request'] : undefined;
}

/** A KDC-REQ, KDC-REP or KRB-ERROR (RFC 4120 5.4, 5.9) of port 88: APPLICATION tag and a length that fits. */
function isKerberos(d: Uint8Array, at: number): boolean {
  const tag = d[at] ?? 0;
  return (tag >= 0x6a && tag <= 0x6f) || tag === 0x7e;
}

/** An ONC RPC call of NFS (RFC 5531 9): message type, version of RPC, program. */
function isNfsCall(d: Uint8Array, at: number): boolean {
  return d.length >= at + 24 && u32(d, at + 4) === 0 && u32(d, at + 8) === 2 && u32(d, at + 12) === 100_003;
}

function ldap(d: Uint8Array): Guess {
  const isRequest = looksLikeLdap(d);
  return isRequest === undefined || isRequest === 'wait' ? isRequest : ['ldap', isRequest ? 'request' : 'response'];
}

/** Protocols over TCP that are not text. */
export function guessBinary(d: Uint8Array, ports: Ports, fromServer: boolean): Guess {
  let waits = false;
  for (const guess of [smb(d), dcerpc(d), rdp(d), mqtt(d, ports, fromServer), pgsql(d), ldap(d)]) {
    if (guess === 'wait') waits = true;
    else if (guess !== undefined) return guess;
  }
  if (d[0] === 255 && d.length >= 3 && d[1]! >= 251 && d[1]! <= 254)
    return ['telnet', fromServer ? 'response' : 'request'];
  if (either(ports, 88) && d.length >= 5 && d[0] === 0 && isKerberos(d, 4))
    return ['krb5', fromServer ? 'response' : 'request'];
  if (isNfsCall(d, 4)) return ['nfs', 'request'];
  if (d[0] === 5 && d[1] === 0x64 && either(ports, 20_000)) return ['dnp3', fromServer ? 'response' : 'request'];
  if (either(ports, 502) && d.length >= 8 && u16(d, 2) === 0 && u16(d, 4) >= 2 && u16(d, 4) <= 254)
    return ['modbus', fromServer ? 'response' : 'request'];
  if (either(ports, ENIP_PORT) && looksLikeEnip(d)) return ['enip', fromServer ? 'response' : 'request'];
  return waits ? 'wait' : undefined;
}

/** QUIC versions: 1 and 2, drafts, mvfst's, Google's (Q and three digits), and those that no server speaks (RFC 9000 15). Whoever chooses the id of a DNS query must not hit one. */
export function isQuicVersion(version: number): boolean {
  return (
    version === 1 ||
    version === 0x6b3343cf ||
    (version >>> 8 === 0xff0000 && (version & 255) !== 0) ||
    version >>> 8 === 0xfaceb0 ||
    (version & 0x0f0f0f0f) === 0x0a0a0a0a ||
    (version >>> 24 === 0x51 && (version & 0xf0f0f0) === 0x303030)
  );
}

const Q039 = 0x51303339;
const Q043 = 0x51303433;

/** Version in the public header of Google's QUIC before Q046, of which Suricata knows these two. */
export function publicVersion(d: Uint8Array): number | undefined {
  // Flags: a version and a connection id of eight bytes are there.
  if (d.length < 20 || (d[0]! & 0xc9) !== 9) return undefined;
  const version = u32(d, 9);
  return version === Q039 || version === Q043 ? version : undefined;
}

/** Protocols over UDP other than DNS, by their first datagram. */
export function guessDatagram(d: Uint8Array, ports: Ports, fromServer: boolean): Guess {
  const side: Side = fromServer ? 'response' : 'request';
  if (d.length >= 20 && (d[0]! & 0xc0) === 0xc0 && isQuicVersion(u32(d, 1))) return ['quic', side];
  if (publicVersion(d) !== undefined) return ['quic', side];
  // These are known only when their first packet is the client's, as in Suricata: answers without questions are floods.
  if (ports.dstPort === 500 || ports.dstPort === 4500) {
    const at = d.length > 4 && u32(d, 0) === 0 ? 4 : 0;
    const version = d[at + 17];
    if (d.length >= at + 28 && (version === 0x10 || version === 0x20) && u32(d, at + 24) === d.length - at)
      return ['ike', side];
  }
  if (ports.dstPort === 69 && d.length >= 6 && d[0] === 0 && d[1]! >= 1 && d[1]! <= 2) {
    const end = d.indexOf(0, 2);
    if (end > 2 && /^(octet|netascii|mail)\0/i.test(latin1(d, end + 1, end + 10))) return ['tftp', side];
  }
  if (either(ports, ENIP_PORT) && looksLikeEnip(d)) return ['enip', side];
  if (either(ports, 88) && isKerberos(d, 0)) return ['krb5', side];
  if (isNfsCall(d, 0)) return ['nfs', side];
  if (either(ports, 67, 68) && d.length >= 240 && u32(d, 236) === 0x63825363) return ['dhcp', side];
  if (either(ports, 123) && d.length >= 48 && (d[0]! & 7) > 0 && ((d[0]! >> 3) & 7) > 0) return ['ntp', side];
  if ((ports.dstPort === 161 || ports.dstPort === 162) && d.length >= 5 && d[0] === 0x30) {
    const at = d[1]! < 128 ? 2 : 2 + (d[1]! & 127);
    if (d[at] === 2 && d[at + 1] === 1 && (d[at + 2] ?? 9) <= 3) return ['snmp', side];
  }
  if (typeof looksLikeLdap(d) === 'boolean') return ['ldap', side];
  const text = latin1(d, 0, 16);
  if (/^d1:[are]d?2:id20:|^d1:ad2:id/.test(text)) return ['bittorrent-dht', side];
  if (/^(INVITE|REGISTER|OPTIONS|ACK|BYE|CANCEL|SUBSCRIBE|NOTIFY|MESSAGE) sips?:/i.test(text)) return ['sip', side];
  if (text.startsWith('SIP/2.0 ')) return ['sip', side];
  return undefined;
}
