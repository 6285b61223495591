import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connection, Replay, type Talk } from '../../support/replay.js';

const ATTACKER = '10.0.0.66';
const b64 = (text: string): string => Buffer.from(text).toString('base64');
const bytes = (...values: number[]): string => String.fromCharCode(...values);

type Turns = { turns: (string | number)[]; serverFirst?: boolean };
const ftp = (user: string, password: string, answer: string): Turns => ({
  serverFirst: true,
  turns: ['220 FTP ready\r\n', `USER ${user}\r\n`, '331 Password?\r\n', `PASS ${password}\r\n`, answer],
});
const text = (word: string): number[] => [...word].map((c) => c.charCodeAt(0));
/** STATUS_LOGON_FAILURE (MS-ERREF 2.3.1), little endian. */
const LOGON_FAILURE = [0x6d, 0, 0, 0xc0];
const OK = [0, 0, 0, 0];
/** Negotiation, then the answer to the session set-up in a NetBIOS frame. */
const smb = (answer: number[]): Turns => ({
  turns: [100, 200, 300, bytes(0, 0, 0, answer.length + 32, ...answer, ...new Array<number>(32).fill(0))],
});
const LOGINS: [label: string, port: number, make: (i: number, ok: boolean) => Turns][] = [
  ['ftp_brute_force', 21, (i, ok) => ftp('root', `pw${i}`, ok ? '230 Welcome\r\n' : '530 Login incorrect.\r\n')],
  ['ftp_brute_force', 2121, (i, ok) => ftp('root', `pw${i}`, ok ? '230 Welcome\r\n' : '530 Login incorrect.\r\n')],
  [
    'smtp_brute_force',
    587,
    (i, ok) => ({
      serverFirst: true,
      turns: ['220 mx SMTP\r\n', `AUTH PLAIN ${b64(`\0u\0${i}`)}\r\n`, ok ? '235 ok\r\n' : '535 5.7.8 failed\r\n'],
    }),
  ],
  [
    'pop3_brute_force',
    110,
    (i, ok) => ({
      serverFirst: true,
      turns: ['+OK ready\r\n', 'USER u\r\n', '+OK\r\n', `PASS ${i}\r\n`, ok ? '+OK in\r\n' : '-ERR no\r\n'],
    }),
  ],
  [
    'imap_brute_force',
    143,
    (i, ok) => ({
      serverFirst: true,
      turns: ['* OK IMAP\r\n', `a1 LOGIN u p${i}\r\n`, ok ? 'a1 OK in\r\n' : 'a1 NO [AUTHENTICATIONFAILED]\r\n'],
    }),
  ],
  [
    'telnet_brute_force',
    23,
    (i, ok) => ({
      serverFirst: true,
      turns: ['login: ', `root${i}\r\n`, ok ? 'Last login: today' : 'Login incorrect\r\n'],
    }),
  ],
  [
    'http_brute_force',
    80,
    (i, ok) => ({
      turns: [
        `GET /private HTTP/1.1\r\nAuthorization: Basic ${b64(`admin:${i}`)}\r\n\r\n`,
        `HTTP/1.1 ${ok ? '200 OK' : '401 Unauthorized'}\r\n\r\n`,
      ],
    }),
  ],
  [
    'http_brute_force',
    80,
    (i, ok) => ({
      turns: [
        `POST /login HTTP/1.1\r\nContent-Length: 30\r\n\r\nusername=admin&password=p${i}`,
        ok ? 'HTTP/1.1 302 Found\r\nLocation: /home\r\n\r\n' : 'HTTP/1.1 302 Found\r\nLocation: /login?error=1\r\n\r\n',
      ],
    }),
  ],
  [
    'mysql_brute_force',
    3306,
    (_i, ok) => ({
      serverFirst: true,
      turns: [
        bytes(74, 0, 0, 0, 10) + '8.0.1',
        bytes(60, 0, 0, 1) + 'login',
        ok
          ? bytes(7, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0)
          : bytes(9, 0, 0, 2, 0x7f, 0x15, 0x04).replace('\x7f', '\xff') + '#28000',
      ],
    }),
  ],
  [
    'postgresql_brute_force',
    5432,
    (_i, ok) => ({
      turns: ['startup', 'R', 'pmd5', ok ? bytes(0x52, 0, 0, 0, 8, 0, 0, 0, 0) : 'E\0\0\0\x40SFATAL\0C28P01\0M...'],
    }),
  ],
  [
    'vnc_brute_force',
    5900,
    (_i, ok) => ({
      serverFirst: true,
      turns: ['RFB 003.008\n', 'RFB 003.008\n', bytes(1, 2), bytes(2), bytes(0, 0, 0, ok ? 0 : 1)],
    }),
  ],
  ['smb_brute_force', 445, (_i, ok) => smb([0xfe, ...text('SMB'), 64, 0, 0, 0, ...(ok ? OK : LOGON_FAILURE), 1, 0])],
  ['smb_brute_force', 139, (_i, ok) => smb([0xff, ...text('SMB'), 0x73, ...(ok ? OK : LOGON_FAILURE), 0x98, 7, 0xc8])],
  // Encrypted: negotiation, certificate, CredSSP; then the end, or a desktop.
  [
    'rdp_brute_force',
    3389,
    (_i, ok) => ({ turns: [47, 19, 300, 1200, 600, 300, 500, 80, ...(ok ? [900, 9000] : [])] }),
  ],
  [
    'ssh_brute_force',
    22,
    (_i, ok) => ({
      serverFirst: true,
      // Key exchange, service, question for methods, password; then a session of one short command, or the end.
      turns: ['SSH-2.0-X\r\n', 'SSH-2.0-Y\r\n', 1500, 1100, 44, 68, 52, 84, ...(ok ? [28, 100, 600, 60, 40] : [52])],
    }),
  ],
  // One password a connection and no question before: ncrack with `at=1`, and scripts.
  [
    'ssh_brute_force',
    22,
    (_i, ok) => ({
      serverFirst: true,
      turns: ['SSH-2.0-X\r\n', 'SSH-2.0-Y\r\n', 1500, 1100, 44, 44, 44, 148, ...(ok ? [28, 100, 600, 60, 40] : [52])],
    }),
  ],
];

/** Latin-1 bytes, so that 0xff stays one byte. */
function raw(turns: (string | number)[]): (Uint8Array | number)[] {
  return turns.map((t) => (typeof t === 'number' ? t : Uint8Array.from(t, (c) => c.charCodeAt(0))));
}

function attempts(
  r: Replay,
  f: { port: number; n: number; ok: boolean; src?: string; every?: number },
  make: (i: number, ok: boolean) => Turns,
): void {
  for (let i = 0; i < f.n; i++) {
    const talk: Talk = { at: i * (f.every ?? 1), src: f.src ?? ATTACKER, sport: 30_000 + i, dport: f.port };
    const { turns, serverFirst } = make(i, f.ok);
    r.push(...connection(talk, raw(turns) as number[], { serverFirst: serverFirst === true }));
  }
}

for (const [label, port, make] of LOGINS) {
  test(`${label} on port ${port} is found by the tenth refused login; accepted logins are quiet`, () => {
    const bad = new Replay();
    attempts(bad, { port, n: 10, ok: false }, make);
    assert.deepEqual(bad.labels(), [label]);
    assert.equal(bad.detections[0]!.offender, ATTACKER);
    assert.equal(bad.detections[0]!.spoofable, false);
    const good = new Replay({ beacon: { enabled: false } });
    attempts(good, { port, n: 40, ok: true }, make);
    assert.deepEqual(good.labels(), []);
    const clumsy = new Replay();
    attempts(clumsy, { port, n: 2, ok: false }, make);
    assert.deepEqual(clumsy.labels(), [], 'a password mistyped twice');
  });
}

test('every refused login shown twice is still found, and three mistypes shown twice are quiet', () => {
  const [, port, make] = LOGINS[0]!;
  const r = new Replay({}, true);
  attempts(r, { port, n: 3, ok: false }, make);
  assert.deepEqual(r.labels(), []);
});

test('many users with one password are password spraying', () => {
  const r = new Replay();
  attempts(r, { port: 21, n: 10, ok: false }, (i) => ftp(`user${i}`, 'Winter2025', '530 no\r\n'));
  assert.deepEqual(r.labels(), ['password_spraying']);
});

test('one user and password tried a few times on each of many hosts is spraying', () => {
  const r = new Replay({ lateral: { enabled: false } });
  for (let i = 0; i < 12; i++) {
    const talk = { at: i, src: ATTACKER, dst: `10.0.5.${1 + (i % 6)}`, sport: 30_000 + i, dport: 21 };
    r.push(...connection(talk, raw(ftp('admin', 'admin', '530 no\r\n').turns) as number[], { serverFirst: true }));
  }
  assert.deepEqual(r.labels(), ['password_spraying']);
});

test('a program that keeps trying one old password guesses nothing', () => {
  const r = new Replay();
  attempts(r, { port: 21, n: 40, ok: false, every: 5 }, () => ftp('backup', 'old', '530 no\r\n'));
  attempts(r, { port: 143, n: 40, ok: false, every: 5 }, () => ({
    serverFirst: true,
    turns: ['* OK IMAP\r\n', 'a1 LOGIN backup old\r\n', 'a1 NO [AUTHENTICATIONFAILED]\r\n'],
  }));
  assert.deepEqual(r.labels(), []);
});

for (const [kind, offender, address] of [
  ['/24', '203.0.113.0/24', (s: number): string => `203.0.113.${s + 1}`],
  ['/64', '2001:db8:0:7::/64', (s: number): string => `2001:db8:0:7::${(s + 1).toString(16)}`],
] as const) {
  test(`sources of one ${kind} that each try a little, at many targets, add up; those of an inside network do not`, () => {
    const guess = (options: object, sources: number): Replay => {
      const r = new Replay(options);
      for (let i = 0; i < 30; i++) {
        const src = address(i % sources);
        const dst = src.includes(':') ? `2001:db8:1::${(i % 8) + 1}` : `10.0.5.${(i % 8) + 1}`;
        const talk = { at: i * 5, src, dst, sport: 30_000 + i, dport: 21 };
        const { turns } = ftp('root', `pw${i}`, '530 no\r\n');
        r.push(...connection(talk, raw(turns) as number[], { serverFirst: true }));
      }
      return r;
    };
    const found = guess({}, 10);
    assert.deepEqual(found.labels(), ['network_brute_force']);
    assert.equal(found.detections[0]!.offender, offender);
    assert.equal(found.detections[0]!.spoofable, false);
    assert.deepEqual(guess({ homeNetworks: ['10.0.0.0/8', offender] }, 10).labels(), []);
    assert.deepEqual(guess({ bruteForce: { failures: 100, sprayHosts: 100 } }, 3).labels(), [], 'three sources');
  });
}

test('many sources at one target that each stay below the threshold are found together', () => {
  const r = new Replay();
  for (let s = 0; s < 12; s++) {
    attempts(r, { port: 21, n: 5, ok: false, src: `198.51.${s + 1}.9`, every: 0.1 }, (i) =>
      ftp('root', `${s}-${i}`, '530 no\r\n'),
    );
  }
  assert.deepEqual(r.labels(), ['distributed_brute_force']);
  assert.equal(r.detections[0]!.noBlock, true);
});

test('a page that asks for a login is no refused login', () => {
  const r = new Replay({ beacon: { enabled: false } });
  for (let i = 0; i < 50; i++) {
    r.push(
      ...connection({ at: i, src: '10.0.0.7', sport: 30_000 + i }, [
        'GET / HTTP/1.1\r\n\r\n',
        'HTTP/1.1 401 Unauthorized\r\n\r\n',
      ]),
    );
  }
  assert.deepEqual(r.labels(), []);
});
