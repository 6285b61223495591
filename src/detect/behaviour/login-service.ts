import type { DecodedPacket } from '../../domain/packet.js';
import { ascii, indexOfNoCase, startsWith } from './bytes.js';

/** Services whose logins are watched; 0 is none. */
export const SERVICE = {
  NONE: 0,
  SSH: 1,
  FTP: 2,
  TELNET: 3,
  SMTP: 4,
  POP3: 5,
  IMAP: 6,
  HTTP: 7,
  RDP: 8,
  SMB: 9,
  MYSQL: 10,
  POSTGRESQL: 11,
  VNC: 12,
} as const;
export const SERVICE_NAMES = [
  '',
  'ssh',
  'ftp',
  'telnet',
  'smtp',
  'pop3',
  'imap',
  'http',
  'rdp',
  'smb',
  'mysql',
  'postgresql',
  'vnc',
] as const;

const BY_PORT: Readonly<Record<number, number>> = {
  21: SERVICE.FTP,
  22: SERVICE.SSH,
  23: SERVICE.TELNET,
  2323: SERVICE.TELNET,
  25: SERVICE.SMTP,
  465: SERVICE.SMTP,
  587: SERVICE.SMTP,
  80: SERVICE.HTTP,
  110: SERVICE.POP3,
  139: SERVICE.SMB,
  143: SERVICE.IMAP,
  445: SERVICE.SMB,
  3306: SERVICE.MYSQL,
  3389: SERVICE.RDP,
  5432: SERVICE.POSTGRESQL,
  5900: SERVICE.VNC,
  5901: SERVICE.VNC,
  8000: SERVICE.HTTP,
  8080: SERVICE.HTTP,
};

const SERVICE_OF_PORT = new Uint8Array(65_536);
for (const [port, service] of Object.entries(BY_PORT)) SERVICE_OF_PORT[Number(port)] = service;

const SSH = ascii('SSH-');
const RFB = ascii('RFB 0');
const HTTP = ascii('HTTP/1.');
const POP3 = ascii('+OK');
const IMAP = ascii('* OK');
const GREETING = ascii('220');
/** First letters of the banners below: S H R + * 2. */
const BANNER_LETTERS = [0x53, 0x48, 0x52, 0x2b, 0x2a, 0x32];
const FTP_WORD = ascii('ftp');
const SMTP_WORD = ascii('smtp');

/** Service by what the server says first; services also live on other ports. */
export function serviceByBanner(p: DecodedPacket): number {
  const { data } = p;
  const at = p.payloadOffset;
  const end = at + p.payloadLen;
  if (!BANNER_LETTERS.includes(data[at]!)) return SERVICE.NONE;
  if (startsWith(data, at, end, SSH)) return SERVICE.SSH;
  if (startsWith(data, at, end, HTTP)) return SERVICE.HTTP;
  if (startsWith(data, at, end, RFB)) return SERVICE.VNC;
  if (startsWith(data, at, end, POP3)) return SERVICE.POP3;
  if (startsWith(data, at, end, IMAP)) return SERVICE.IMAP;
  if (startsWith(data, at, end, GREETING)) {
    if (indexOfNoCase(data, at, Math.min(end, at + 200), SMTP_WORD) >= 0) return SERVICE.SMTP;
    if (indexOfNoCase(data, at, Math.min(end, at + 200), FTP_WORD) >= 0) return SERVICE.FTP;
  }
  return SERVICE.NONE;
}

/** Service by the port of the flow's destination. */
export function serviceByPort(port: number): number {
  return SERVICE_OF_PORT[port]!;
}
