import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
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

  it('takes a session older than the login grace time for one, and no younger', async () => {
    const collector = new ProtectedCollector(fakeBox(ssh));
    const has = async (nowMs: number): Promise<boolean> =>
      (await collector.collect([], nowMs)).some((e) => e.value === '203.0.113.7');
    assert.equal(await has(0), false);
    assert.equal(await has(149_000), false);
    assert.equal(await has(151_000), true);
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
