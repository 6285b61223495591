import { createHash } from 'node:crypto';
import { datagram, tcp, type Traffic, type Turn } from '../rules/traffic.js';

const u16 = (n: number): string => String.fromCharCode(n >> 8, n & 255);
const u24 = (n: number): string => `\0${u16(n)}`;

const http: readonly Turn[] = [
  [
    '>',
    'GET /a/../b%20c?x=%41 HTTP/1.1\r\nHost: WWW.Example.com:8080\r\nUser-Agent: Agent/1\r\nCookie: id=7\r\nReferer: http://r/\r\n' +
      'Accept: text/html\r\nAccept-Encoding: gzip\r\nAccept-Language: de\r\nConnection: close\r\nContent-Type: text/x\r\n\r\n',
  ],
  [
    '<',
    'HTTP/1.1 404 Not There\r\nServer: nx/1\r\nLocation: /else\r\nContent-Type: text/plain\r\nContent-Length: 9\r\nSet-Cookie: s=9\r\n\r\nanswering',
  ],
];
const post: readonly Turn[] = [
  ['>', 'POST /upload HTTP/1.0\r\nHost: h\r\nContent-Length: 8\r\n\r\nbodybody'],
  ['<', 'HTTP/1.0 200 OK\r\nContent-Disposition: attachment; filename="tool.exe"\r\nContent-Length: 4\r\n\r\nMZab'],
];

const mqtt: readonly Turn[] = [
  ['>', '\x10\x21\x00\x04MQTT\x04\xee\x00\x3c\x00\x04abcd\x00\x01t\x00\x02wm\x00\x03usr\x00\x03pwd'],
  ['<', '\x20\x02\x01\x00'],
  ['>', '\x3b\x0c\x00\x03a/b\x00\x07hello'],
  ['<', '\x40\x02\x00\x07'],
  ['>', '\x82\x08\x00\x09\x00\x03s/t\x01'],
  ['<', '\x90\x03\x00\x09\x01'],
  ['>', '\xa2\x07\x00\x0a\x00\x03s/t'],
  ['<', '\xb0\x02\x00\x0a'],
  ['>', '\xe0\x00'],
];
/** Refused by the server; then a message without flags. */
const mqttPlain: readonly Turn[] = [
  ['>', '\x10\x10\x00\x04MQTT\x05\x00\x00\x3c\x00\x00\x03abc'],
  ['<', '\x20\x03\x00\x87\x00'],
  ['>', '\x30\x0b\x00\x03a/b\x00hello'],
  ['>', '\xc0\x00'],
];

const ftp: readonly Turn[] = [
  ['<', '220 hi\r\n'],
  ['>', 'USER a\r\n'],
  ['<', '331 p\r\n'],
  ['>', 'PORT 10,9,8,7,4,5\r\n'],
  ['<', '200 ok\r\n'],
  ['>', 'QUIT\r\n'],
];
/** The client's own address. */
const ftpOwn: readonly Turn[] = [
  ['<', '220 hi\r\n'],
  ['>', 'PORT 203,0,113,9,4,5\r\n'],
  ['<', '200 ok\r\n'],
  ['>', 'QUIT\r\n'],
];
/** Announces the port that `ftpData` goes to, which comes before it ends. */
const ftpPassive: readonly Turn[] = [
  ['<', '220 hi\r\n'],
  ['>', 'USER a\r\n'],
  ['<', '331 p\r\n'],
  ['>', 'PASV\r\n'],
  ['<', '227 Entering Passive Mode (10,0,0,2,160,10)\r\n'],
  ['>', 'RETR a.txt\r\n'],
  ['<', '150 go\r\n'],
  ['<', '226 done\r\n'],
  ['>', 'QUIT\r\n'],
];
const FTP_DATA_PORT = 160 * 256 + 10;
const smtp: readonly Turn[] = [
  ['<', '220 mx\r\n'],
  ['>', 'EHLO cl\r\n'],
  ['<', '250 ok\r\n'],
  ['>', 'MAIL FROM:<a@b.c>\r\n'],
  ['<', '250 ok\r\n'],
  ['>', 'RCPT TO:<d@e.f>\r\n'],
  ['<', '250 ok\r\n'],
  ['>', 'DATA\r\n'],
  ['<', '354 go\r\n'],
  [
    '>',
    'From: a@b.c\r\nSubject: hi\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n' +
      'Content-Disposition: attachment; filename="doc.pdf"\r\n\r\n%PDF-1.4 xyz\r\n--b--\r\n.\r\n',
  ],
  ['<', '250 ok\r\n'],
  ['>', 'QUIT\r\n'],
];

const der = (tag: number, ...parts: string[]): string => {
  const content = parts.join('');
  const length = content.length < 128 ? String.fromCharCode(content.length) : `\x82${u16(content.length)}`;
  return String.fromCharCode(tag) + length + content;
};
const attribute = (oid: string, value: string): string => der(0x31, der(0x30, der(6, oid), der(12, value)));
/** Names, serial number and validity; its signature is not one. */
const certificate = der(
  0x30,
  der(
    0x30,
    der(0xa0, der(2, '\x02')),
    der(2, '\x5c\x19\x0a'),
    der(0x30, der(6, '\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b'), der(5)),
    der(0x30, attribute('\x55\x04\x0a', 'Test Org')),
    der(0x30, der(23, '240101000000Z'), der(23, '340101000000Z')),
    der(0x30, attribute('\x55\x04\x03', 'cert.example')),
    der(0x30, der(0x30, der(6, '\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01'), der(5)), der(3, `\0${der(0x30, der(2, '\x11'), der(2, '\x03'))}`)),
  ),
  der(0x30, der(6, '\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b'), der(5)),
  der(3, '\0signed'),
); // prettier-ignore
/** Bytes of its fingerprint, in hexadecimal digits. */
export const CERTIFICATE_SHA1 = createHash('sha1').update(certificate, 'latin1').digest('hex');
const record = (body: string): string => `\x16\x03\x01${u16(body.length)}${body}`;
const handshake = (type: number, body: string): string => record(String.fromCharCode(type) + u24(body.length) + body);
const sni = `\0${u16(11)}sni.example`;
const extensions = `\0\0${u16(sni.length + 2)}${u16(sni.length)}${sni}`;
const chain = (count: number): string => {
  const list = (u24(certificate.length) + certificate).repeat(count);
  return u24(list.length) + list;
};
const tls = (certificates: number): readonly Turn[] => [
  ['>', handshake(1, `\x03\x03\x01\x02\x03\x04${'R'.repeat(28)}\0\0\x02\0\x2f\x01\0${u16(extensions.length)}${extensions}`)],
  ['<', handshake(2, `\x03\x03\x05\x06\x07\x08${'S'.repeat(28)}\0\0\x2f\0`) + handshake(11, chain(certificates)) + handshake(14, '')],
  ['>', handshake(16, 'abcd')],
]; // prettier-ignore

const raw: readonly Turn[] = [
  ['>', 'first '.repeat(20)],
  ['<', 'answer '.repeat(10)],
  ['>', 'second '.repeat(30)],
  ['<', 'bye'],
];

const sipPort = 41_090;
const sip: Traffic = [
  datagram({ sport: sipPort, dport: 5060, payload: 'INVITE sip:a@b SIP/2.0\r\nVia: x\r\nContent-Length: 0\r\n\r\n' }),
  datagram({ src: '10.0.0.2', dst: '203.0.113.9', sport: 5060, dport: sipPort, at: 0.1, payload: 'SIP/2.0 200 OK\r\nVia: y\r\n\r\n' }),
]; // prettier-ignore

/** Ports of clients, by the name of what is said. */
export const CLIENT_PORTS: Readonly<Record<string, number>> = {
  http: 41_010, post: 41_011, mqtt: 41_020, mqttPlain: 41_021, ssh: 41_030, ftp: 41_040, ftpOwn: 41_041, ftpPassive: 41_042, ftpData: 41_043, smtp: 41_050, tls: 41_060, tlsTwo: 41_061,
  raw: 41_070, slow: 41_071, sip: sipPort,
}; // prettier-ignore

const said = (name: string, port: number, turns: readonly Turn[]): Traffic => tcp(port, turns, 0, CLIENT_PORTS[name]!);

/** Seconds that the last third of a connection comes later. */
const SLOW_SECS = 4;

function slowed(packets: Traffic): Traffic {
  for (const [i, p] of packets.entries()) if (i > (packets.length * 2) / 3) p.tsUs += SLOW_SECS * 1e6;
  return packets;
}

/** Conversations that older and aliased names of keywords are tried on. */
export const NAMES_TRAFFIC: Traffic = [
  ...said('http', 80, http),
  ...said('post', 80, post),
  ...said('mqtt', 1883, mqtt),
  ...said('mqttPlain', 1883, mqttPlain),
  ...said('ssh', 22, [['<', 'SSH-2.0-OpenSSH_9\r\n'], ['>', 'SSH-1.99-PuTTY\r\n']]),
  ...said('ftp', 21, ftp),
  ...said('ftpOwn', 21, ftpOwn),
  ...slowed(said('ftpPassive', 21, ftpPassive)),
  ...tcp(FTP_DATA_PORT, [['<', 'content of a file']], 1, CLIENT_PORTS['ftpData']),
  ...said('smtp', 25, smtp),
  ...said('tls', 443, tls(1)),
  ...said('tlsTwo', 443, tls(2)),
  ...said('raw', 9000, raw),
  ...slowed(said('slow', 9001, raw)),
  ...sip,
]; // prettier-ignore
