import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fc } from '../../support/fuzz.js';
import type { Box } from '../../../src/enforce/protect/box.js';
import { ProtectedCollector } from '../../../src/enforce/protect/collect.js';
import {
  isAuthenticatedSshd,
  parseDhcpLease,
  parseIpAddr,
  parseIpRoute,
  parseNtpConf,
  parseProcTcp,
  parseResolvConf,
  parseSshdPorts,
  parseTimesyncdConf,
  parseUtmp,
} from '../../../src/enforce/protect/parsers.js';

const TCP_HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const tcpLine = (local: string, remote: string, state: string, inode: number): string =>
  `   0: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0000000000000000 20 4 30 10 -1\n`;

describe('files and outputs of the box', () => {
  it('are read for addresses', () => {
    const addr =
      '[{"ifname":"eth0","addr_info":[{"local":"192.0.2.2","prefixlen":24},{"local":"fe80::1"}]},{},{"ifname":"x","addr_info":[{}]}]';
    assert.deepEqual(
      parseIpAddr(addr).map((a) => `${a.address} ${a.interfaceName}`),
      ['192.0.2.2 eth0', 'fe80::1 eth0'],
    );
    const route =
      '[{"dst":"default","gateway":"192.0.2.1","dev":"eth0"},{"dst":"10.0.0.0/8","nexthops":[{"gateway":"192.0.2.3","dev":"eth1"}]},{"dst":"default","via":{"family":"inet6","host":"fe80::9"},"dev":"eth0"}]';
    assert.deepEqual(
      parseIpRoute(route).map((r) => r.gateway),
      ['192.0.2.1', '192.0.2.3', 'fe80::9'],
    );
    assert.deepEqual(parseResolvConf('# x\nnameserver 192.0.2.53\nnameserver fe80::1%eth0\nsearch a\n'), [
      '192.0.2.53',
      'fe80::1',
    ]);
    assert.deepEqual(
      parseNtpConf('pool 2.debian.pool.ntp.org iburst\nserver -4 ntp.example\n# server no\npeer 192.0.2.7'),
      ['2.debian.pool.ntp.org', 'ntp.example', '192.0.2.7'],
    );
    assert.deepEqual(parseTimesyncdConf('[Time]\nNTP=a.example 192.0.2.1\n#NTP=no\nFallbackNTP=b.example\n'), [
      'a.example',
      '192.0.2.1',
      'b.example',
    ]);
    assert.deepEqual(parseDhcpLease('SERVER_ADDRESS=192.0.2.1\n'), ['192.0.2.1']);
    assert.deepEqual(parseDhcpLease('lease {\n  option dhcp-server-identifier 192.0.2.9;\n}\n'), ['192.0.2.9']);
    assert.deepEqual(
      parseSshdPorts('#Port 1\nPort 2222\nListenAddress 0.0.0.0:2200\nListenAddress [::]:2201\nListenAddress ::'),
      [2222, 2200, 2201],
    );
  });

  it('show established connections, IPv4, IPv6 and mapped', () => {
    const text =
      TCP_HEAD +
      tcpLine('020200C0:0016', '077100CB:C350', '01', 42) +
      tcpLine('020200C0:0016', '087100CB:C351', '02', 43) +
      tcpLine('0000000000000000FFFF0000020200C0:0016', '0000000000000000FFFF0000097100CB:C352', '01', 44) +
      tcpLine('B80D0120000000000000000001000000:0016', 'B80D0120000000000000000007000000:0400', '01', 45);
    assert.deepEqual(parseProcTcp(text), [
      { localPort: 22, peer: '203.0.113.7', peerPort: 50_000, inode: '42' },
      { localPort: 22, peer: '203.0.113.9', peerPort: 50_002, inode: '44' },
      { localPort: 22, peer: '2001:db8::7', peerPort: 1024, inode: '45' },
    ]);
  });

  it('show who is logged in', () => {
    const record = Buffer.alloc(384);
    record.writeInt16LE(7, 0);
    record.write('ann', 44);
    record.set([203, 0, 113, 7], 348);
    assert.deepEqual(parseUtmp(Buffer.concat([Buffer.alloc(384), record, Buffer.alloc(10)])), [
      { user: 'ann', address: '203.0.113.7' },
    ]);
    assert.ok(isAuthenticatedSshd('sshd: ann@pts/0\0'));
    assert.ok(isAuthenticatedSshd('sshd-session: ann@notty'));
    for (const title of [
      'sshd: ann [priv]',
      'sshd: unknown [net]',
      'sshd: a@b [net]',
      '/usr/sbin/sshd -D',
      'sshd: [accepted]',
    ]) {
      assert.equal(isAuthenticatedSshd(title), false, title);
    }
  });

  it('never break a parser, whatever they contain', () => {
    const parsers = [
      parseIpAddr,
      parseIpRoute,
      parseResolvConf,
      parseNtpConf,
      parseTimesyncdConf,
      parseDhcpLease,
      parseSshdPorts,
      parseProcTcp,
    ];
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        for (const parse of parsers) assert.ok(Array.isArray(parse(text)));
      }),
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 1000 }), (bytes) => void parseUtmp(Buffer.from(bytes))));
  });
});

function fakeBox(files: Record<string, string | Buffer>, more: Partial<Box> = {}): Box {
  const paths = Object.keys(files);
  return {
    read: (path) => (files[path] === undefined ? undefined : Buffer.from(files[path])),
    list: (path) => [
      ...new Set(paths.flatMap((p) => (p.startsWith(`${path}/`) ? [p.slice(path.length + 1).split('/')[0]!] : []))),
    ],
    link: (path) => (files[path] === undefined ? undefined : files[path].toString()),
    ip: (args) =>
      Promise.resolve(args.includes('addr') ? '[{"ifname":"eth0","addr_info":[{"local":"192.0.2.2"}]}]' : '[]'),
    interfaces: () => [{ address: '192.0.2.99', interfaceName: 'eth9' }],
    resolve: () => Promise.resolve([]),
    env: {},
    ...more,
  };
}

describe('the protected set', () => {
  const collect = async (box: Box, nowMs = 0): Promise<string[]> =>
    (await new ProtectedCollector(box).collect([], nowMs)).map((e) => `${e.value} ${e.reason}`);
  const ssh = {
    '/proc/net/tcp':
      TCP_HEAD +
      tcpLine('020200C0:0016', '077100CB:C350', '01', 42) +
      tcpLine('020200C0:01BB', '087100CB:C350', '01', 43),
  };

  it('works with every file absent', async () => {
    assert.deepEqual(await collect(fakeBox({})), ['127.0.0.0/8 loopback', '::1 loopback', '192.0.2.2 own_address']);
  });

  it('knows its own addresses even when the ip program is missing', async () => {
    assert.ok((await collect(fakeBox({}, { ip: () => Promise.resolve('') }))).includes('192.0.2.99 own_address'));
  });

  it('does not take a password guesser on sshd for an administrator', async () => {
    const guessing = { ...ssh, '/proc/77/cmdline': 'sshd: root [priv]\0', '/proc/77/fd/3': 'socket:[42]' };
    assert.ok(!(await collect(fakeBox(guessing))).some((e) => e.startsWith('203.0.113.')));
  });

  it('takes a logged-in SSH session for one: by process title, by utmp, by environment', async () => {
    const title = { ...ssh, '/proc/77/cmdline': 'sshd: ann@pts/0\0', '/proc/77/fd/3': 'socket:[42]' };
    assert.ok((await collect(fakeBox(title))).includes('203.0.113.7 admin_session'));
    const record = Buffer.alloc(384);
    record.writeInt16LE(7, 0);
    record.set([203, 0, 113, 7], 348);
    assert.ok((await collect(fakeBox({ ...ssh, '/run/utmp': record }))).includes('203.0.113.7 admin_session'));
    const env = { SSH_CONNECTION: '198.51.100.5 50000 192.0.2.2 22' };
    assert.ok((await collect(fakeBox({}, { env }))).includes('198.51.100.5 admin_session'));
  });

  it('takes what systemd-logind says for a login, on a box without utmp and processes to be seen', async () => {
    const session = (more: string): Record<string, string> => ({
      ...ssh,
      '/run/systemd/sessions/7': `# This is private data. Do not parse.\nUSER=ann\nREMOTE=1\nREMOTE_HOST=203.0.113.7\n${more}`,
      '/run/systemd/sessions/7.ref': 'a pipe',
    });
    const read: string[] = [];
    const box = fakeBox(session('STATE=active\n'));
    const watched = { ...box, read: (path: string) => (read.push(path), box.read(path)) };
    assert.ok((await collect(watched)).includes('203.0.113.7 admin_session'));
    assert.ok(!read.some((path) => path.endsWith('.ref')), 'reading a pipe would never end');
    assert.ok(!(await collect(fakeBox(session('STATE=closing\n')))).includes('203.0.113.7 admin_session'));
  });

  describe('takes connections for sessions by their age', () => {
    const oldest = 30 * 86_400_000;
    const UNREADABLE = 'for root alone';
    /** @returns the seconds after which somebody who only connected is protected, of those tried. */
    async function protectedAfter(files: Record<string, string>): Promise<number | undefined> {
      const box = fakeBox({ ...ssh, ...files });
      const read = (path: string): Buffer | undefined => (files[path] === UNREADABLE ? undefined : box.read(path));
      const collector = new ProtectedCollector({ ...box, read });
      for (const ms of [0, 60_000, 149_000, 151_000, 299_000, 599_000, 601_000, 3_700_000, oldest]) {
        const found = await collector.collect([], ms);
        if (found.some((e) => e.value === '203.0.113.7')) return ms / 1000;
      }
      return undefined;
    }
    const config = '/etc/ssh/sshd_config';
    const systemd = { '/run/systemd/system/x': '', '/run/systemd/sessions/x.ref': '' };
    const cases: [string, Record<string, string>, number | undefined][] = [
      ['by default after two minutes', { [config]: 'Port 22\n' }, 151],
      ['as the file says', { [config]: 'logingracetime = "1h"\n' }, 3700],
      ['never without a limit', { [config]: 'LoginGraceTime 0\n' }, undefined],
      ['by the first of two values', { [config]: 'LoginGraceTime 1m30s\nLoginGraceTime 0\n' }, 149],
      ['not by what stands in a Match', { [config]: 'Match all\nLoginGraceTime 1\n' }, 151],
      [
        'with the files included, the first value first',
        {
          [config]: 'Include /etc/ssh/sshd_config.d/*.conf\nLoginGraceTime 60\n',
          '/etc/ssh/sshd_config.d/50-x.conf': 'LoginGraceTime 0\n',
        },
        undefined,
      ],
      ['with relative names', { [config]: 'Include one.conf\n', '/etc/ssh/one.conf': 'LoginGraceTime 0' }, undefined],
      ['late when the file cannot be read', { [config]: UNREADABLE }, 601],
      ['late when an included file cannot be', { [config]: 'Include *.conf', '/etc/ssh/a.conf': UNREADABLE }, 601],
      ['as if nothing was included when there is none', { [config]: 'Include one.conf\n' }, 151],
      ['late without a file of OpenSSH', {}, 601],
      ['never by a guess where logind knows', { ...systemd }, undefined],
      ['as the file says where logind knows too', { ...systemd, [config]: '' }, 151],
      [
        'late when the service gives options',
        { [config]: '', '/etc/default/ssh': 'SSHD_OPTS="-o LoginGraceTime=0"\n' },
        601,
      ],
      ['late when sshd has another file', { [config]: '', '/proc/9/cmdline': '/usr/sbin/sshd\0-D\0-f\0/x\0' }, 601],
      ['never at a port that is not sshd', { [config]: 'Port 2222\n' }, undefined],
    ];
    for (const [name, files, after] of cases) {
      it(name, async () => assert.equal(await protectedAfter(files), after));
    }

    it('but not of one who connects again and again from the same port', async () => {
      const files: Record<string, string> = { ...ssh, [config]: '' };
      const collector = new ProtectedCollector(fakeBox(files));
      for (let i = 0; i < 20; i++) {
        files['/proc/net/tcp'] = TCP_HEAD + tcpLine('020200C0:0016', '077100CB:C350', '01', 100 + i);
        const found = await collector.collect([], i * 60_000);
        assert.ok(!found.some((e) => e.value === '203.0.113.7'));
      }
    });
  });

  it('keeps the addresses of a time server whose name stops resolving', async () => {
    let answers = ['192.0.2.123'];
    const box = fakeBox(
      { '/etc/chrony/chrony.conf': 'pool ntp.example\n' },
      { resolve: () => Promise.resolve(answers) },
    );
    const collector = new ProtectedCollector(box);
    assert.ok((await collector.collect([], 0)).some((e) => e.value === '192.0.2.123' && e.reason === 'ntp'));
    answers = [];
    assert.ok((await collector.collect([], 700_000)).some((e) => e.value === '192.0.2.123'));
  });
});
