import { TCP } from '../../../src/domain/packet.js';
import { datagram, dnsQuery, echo, flagged, repeat, tcp, type Traffic } from './traffic.js';
import type { RuleCase } from './web-cases.js';

/** Fires at `count`, not at one less. */
const counted = (count: number, gapSecs: number, make: (at: number, sport: number) => Traffic): RuleCase => ({
  fires: repeat(count, gapSecs, make),
  near: repeat(count - 1, gapSecs, make),
});
const refused = (port: number, text: string): RuleCase =>
  counted(6, 1, (at, sport) => tcp(port, [['<', text]], at, sport));
const talk = (port: number, fires: string, near: string, side: '>' | '<' = '>'): RuleCase => ({
  fires: tcp(port, [[side, fires]]),
  near: tcp(port, [[side, near]]),
});
const mysql = '\x50\x00\x00\x02\xff\x15\x04#28000Access denied for user';
const label = 'a1'.repeat(30);

/** By sid. */
export const OTHER_CASES: Readonly<Record<number, RuleCase>> = {
  9000307: counted(5, 1, (at, sport) => [flagged(0, at, sport)]),
  9000308: counted(5, 1, (at, sport) => [flagged(TCP.FIN | TCP.PSH | TCP.URG, at, sport)]),
  9000309: counted(3, 1, (at, sport) => [flagged(TCP.SYN | TCP.FIN, at, sport)]),
  9000310: talk(22, 'SSH-2.0-Nmap-SSH2-Hostkey\r\n', 'SSH-2.0-OpenSSH_9.6\r\n'),
  9000400: refused(21, '530 Login incorrect.\r\n'),
  9000401: refused(25, '535 5.7.8 Authentication failed\r\n'),
  9000402: refused(110, '-ERR [AUTH] failed\r\n'),
  9000403: refused(143, 'a1 NO [AUTHENTICATIONFAILED] no\r\n'),
  9000405: refused(3306, mysql),
  9000406: refused(5432, 'E\x00\x00\x00\x64SFATAL\x00C28P01\x00'),
  9000407: counted(6, 1, (at, sport) => tcp(22, [['>', 'SSH-2.0-libssh_0.10.6\r\n']], at, sport)),
  9000500: counted(5, 1, (at, sport) => [
    datagram({ at, sport, dport: 123, payload: Uint8Array.from([0x17, 0, 3, 0x2a, 0, 0, 0, 0]) }),
  ]),
  9000501: counted(5, 1, (at) => [
    datagram({ at, sport: 11_211, dport: 4000, payload: `\0\0\0\0\0\0\0\0VALUE x${'y'.repeat(1100)}` }),
  ]),
  9000502: counted(50, 0.1, (at) => [
    datagram({ at, sport: 1900, dport: 4000, payload: 'HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\n' }),
  ]),
  9000505: counted(100, 0.05, (at) => [echo(1450, at)]),
  9000600: talk(
    4444,
    'Microsoft Windows [Version 10.0.19045]\r\n(c) Microsoft Corporation. All rights reserved.\r\n',
    'Microsoft Windows [Version 10.0.19045]\r\n',
  ),
  9000601: talk(4444, 'bash: no job control in this shell\n', 'bash: job control in this shell\n'),
  9000605: talk(8081, 'NICK bot1\r\nUSER b b b :b\r\n', 'NICK bot1\r\nQUIT\r\n'),
  9000606: talk(8443, `MZ${'\0'.repeat(70)}This program cannot be run in DOS mode`, 'MZ only', '<'),
  9000700: counted(5, 1, (at, sport) => dnsQuery(`${label.slice(0, 60)}.t.example`, at, sport)),
  9000701: counted(5, 1, (at, sport) => dnsQuery(`${'abcdefgh.'.repeat(18)}t.example`, at, sport)),
  9000702: { fires: dnsQuery('dnscat.0011.example'), near: dnsQuery('www.dnscat.example') },
  9000703: { fires: [echo('SSH-2.0-OpenSSH')], near: [echo('abcdefghijkl')] },
};
