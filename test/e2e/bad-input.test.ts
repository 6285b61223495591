import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { MAIN } from '../lab/box/box.js';
import { openLab, type Lab } from '../lab/lab.js';
import type { Ended } from '../lab/process.js';
import { pcap } from '../unit/capture/pcap-bytes.js';
import { bytes, ethernet, ipv4, tcp } from '../unit/decode/frames.js';

const NODE = process.execPath;
let lab: Lab;

before(async () => {
  lab = await openLab({});
});
after(() => lab?.close());

const path = (name: string): string => join(lab.dir, name);

function config(name: string, settings: Record<string, unknown> = {}): string {
  const data = path(`data-${name}`);
  const file = path(`${name}.yaml`);
  const all = { data_dir: data, mode: 'enforce', capture: { interfaces: ['wan0'] }, ...settings };
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(all, null, 2));
  return file;
}

/** Two whole packets (ARP requests, all zero), then a record that promises 60 bytes and has 10. */
function truncatedCapture(): string {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(65535, 16);
  header.writeUInt32LE(1, 20);
  const record = (bytes: number): Buffer => {
    const packet = Buffer.alloc(16 + bytes);
    packet.writeUInt32LE(1_700_000_000, 0);
    packet.writeUInt32LE(60, 8);
    packet.writeUInt32LE(60, 12);
    if (bytes >= 14) packet.writeUInt16BE(0x0806, 16 + 12);
    return packet;
  };
  const file = path('truncated.pcap');
  writeFileSync(file, Buffer.concat([header, record(60), record(60), record(10)]));
  return file;
}

/** SYNs to 2,000 ports. */
function scanCapture(): string {
  const records = Array.from({ length: 2000 }, (_, i) => {
    const syn = tcp({ srcPort: 40_000, dstPort: 1 + i, flags: 2 }, bytes());
    return { secs: 1_700_000_000, fraction: 100 * i, data: ethernet(0x0800, ipv4({ proto: 6 }, syn)) };
  });
  const file = path('scan.pcap');
  writeFileSync(file, pcap(records));
  return file;
}

interface Case {
  name: string;
  run: () => Promise<Ended>;
  code: number;
  /** What the one message must say. */
  says: RegExp[];
  /** Usage errors show the usage instead of a fix. */
  usage?: boolean;
}

const portcullis = (...args: string[]): Promise<Ended> =>
  lab.hosts.router.run(NODE, [MAIN, ...args], { limitSecs: 120 });

const CASES: readonly Case[] = [
  {
    name: 'an unknown configuration key',
    run: () => portcullis('run', '--config', config('key', { captur: {}, siem: { destinatons: [] } })),
    code: 1,
    says: [/captur: unknown key/, /siem\.destinatons: unknown key/, /key\.yaml:\d+/],
  },
  {
    name: 'a configuration file that is not there',
    run: () => portcullis('run', '--config', path('nothing.yaml')),
    code: 1,
    says: [/nothing\.yaml/],
  },
  {
    name: 'an interface that does not exist',
    run: () => portcullis('run', '--config', config('interface'), '--interface', 'nosuch0'),
    code: 1,
    says: [/nosuch0/, /wan0/],
  },
  {
    name: 'a port in use',
    run: async () => {
      const script = `require('net').createServer().listen(8443, '127.0.0.1', () => console.log('listening'))`;
      const holder = lab.hosts.router.start(NODE, ['-e', script]);
      await holder.waitForOutput(/listening/);
      const ended = await portcullis('run', '--config', config('port'));
      await holder.stop();
      return ended;
    },
    code: 3,
    says: [/8443/, /in use/],
  },
  {
    name: 'enforce mode without nft',
    run: () => {
      // The mount is gone with the program: `ip netns exec` gives it a mount namespace of its own.
      const script = 'mount -t tmpfs tmpfs /usr/sbin && exec "$@"';
      const program = [NODE, MAIN, 'run', '--config', config('nft')];
      return lab.hosts.router.run('sh', ['-c', script, 'sh', ...program], { limitSecs: 120 });
    },
    code: 3,
    says: [/\bnft\b/, /apt install nftables/],
  },
  {
    name: 'no rights',
    // Still root's files: the checkout may lie in a folder of root's own.
    run: () => {
      const drop = ['--inh-caps=-all', '--bounding-set=-all'];
      return lab.hosts.router.run('setpriv', [...drop, NODE, MAIN, 'run', '--config', config('rights')], {
        limitSecs: 120,
      });
    },
    code: 3,
    // Nothing was made, and no password shown that the next start would not show again.
    says: [/CAP_NET_RAW/, /^(?!.*Password:)/s],
  },
  {
    name: 'a data folder that may not be written',
    run: () => {
      mkdirSync(path('data-folder'), { mode: 0o500 });
      const keep = ['--inh-caps=-all,+net_raw,+net_admin', '--bounding-set=-all,+net_raw,+net_admin'];
      const program = [NODE, MAIN, 'run', '--config', config('folder')];
      return lab.hosts.router.run('setpriv', [...keep, ...program], { limitSecs: 120 });
    },
    code: 3,
    says: [/data-folder/],
  },
  {
    name: 'a full disk',
    run: () => {
      mkdirSync(path('data-full'));
      // The mount is gone with the program: `ip netns exec` gives it a mount namespace of its own.
      const script = `mount -t tmpfs -o size=64k tmpfs ${path('data-full')} && exec "$@"`;
      const program = [NODE, MAIN, 'run', '--config', config('full')];
      return lab.hosts.router.run('sh', ['-c', script, 'sh', ...program], { limitSecs: 120 });
    },
    code: 3,
    says: [/disk is full|no space/i],
  },
  {
    name: 'a file that is no capture',
    run: () => {
      writeFileSync(path('text.pcap'), 'not a capture, and longer than a header would be');
      return portcullis('analyze', path('text.pcap'));
    },
    code: 1,
    says: [/text\.pcap/, /not a pcap/],
  },
  {
    name: 'a capture that is cut off',
    run: () => portcullis('analyze', truncatedCapture()),
    code: 1,
    says: [/truncated|cut|ends/i, /\b2\b/],
  },
  {
    name: 'a capture that is not there',
    run: () => portcullis('analyze', path('none.pcap')),
    code: 1,
    says: [/none\.pcap/],
  },
  {
    name: 'a model that is none',
    run: () => portcullis('analyze', scanCapture(), '--models', path('no-model')),
    code: 1,
    says: [/no-model cannot be used/],
  },
  {
    name: 'an address that is none, before anything is asked of the server,',
    run: () => portcullis('explain', '192.0.2.300'),
    code: 1,
    says: [/192\.0\.2\.300/],
  },
  {
    name: 'something else that listens where the server should',
    run: async () => {
      const answer = `(q, s) => s.end('<html>')`;
      const script = `require('http').createServer(${answer}).listen(8443, '127.0.0.1', () => console.log('listening'))`;
      const holder = lab.hosts.router.start(NODE, ['-e', script]);
      await holder.waitForOutput(/listening/);
      const env = { PORTCULLIS_TOKEN: 'pct_any' };
      const args = [MAIN, 'decision', 'list', '--config', config('other')];
      const ended = await lab.hosts.router.run(NODE, args, { limitSecs: 120, env });
      await holder.stop();
      return ended;
    },
    code: 3,
    says: [/no proper answer/],
  },
  {
    name: 'a feature schema that does not exist',
    run: () => portcullis('capture', '--interface', 'wan0', '--schema', 'nsl', '--out', path('c.csv')),
    code: 2,
    says: [/nsl/],
    usage: true,
  },
  {
    name: 'an option that does not exist',
    run: () => portcullis('run', '--bogus'),
    code: 2,
    says: [/--bogus/],
    usage: true,
  },
  { name: 'a command that does not exist', run: () => portcullis('bogus'), code: 2, says: [/bogus/], usage: true },
  {
    name: 'help on a command that does not exist',
    run: () => portcullis('help', 'bogus'),
    code: 2,
    says: [/unknown command 'bogus'/],
    usage: true,
  },
];

const said = new Map<string, string>();

for (const { name, run, code, says, usage = false } of CASES) {
  test(`${name} ends with code ${code} and one clear message`, async () => {
    const ended = await run();
    const { stderr } = ended;
    said.set(name, stderr);
    assert.equal(ended.code, code, `code ${ended.code}, stderr:\n${stderr}`);
    for (const pattern of says) assert.match(stderr, pattern);
    assert.doesNotMatch(stderr, /^ {4}at /m, 'a stack trace');
    if (usage) return;
    assert.match(stderr, /^ {2}fix: /m);
    assert.equal(stderr.match(/^portcullis: /gm)?.length, 1, `not one message:\n${stderr}`);
  });
}

test('the same configuration without a fault is accepted', async () => {
  const ended = await portcullis('check', '--config', config('good'));
  assert.equal(ended.code, 0, ended.stderr);
});

test('nft is found where the search path has no folder for it, as after su', async () => {
  const asked = [NODE, MAIN, 'doctor', '--config', config('su')];
  const ended = await lab.hosts.router.run('env', ['PATH=/usr/bin', ...asked], { limitSecs: 120 });
  assert.match(ended.stdout, /nftables v\d/, ended.stdout + ended.stderr);
});

for (const [name, file] of [
  ['a port in use', 'port.yaml'],
  ['an interface that does not exist', 'interface.yaml'],
] as const) {
  test(`${name} at the first start takes no password with it: an account that was made was shown`, async () => {
    const { stdout } = await portcullis('user', 'list', '--config', path(file));
    assert.equal(/^admin\b/m.test(stdout), /First login: admin/.test(said.get(name) ?? ''), stdout + said.get(name));
  });
}

for (const [command, ...more] of [['analyze'], ['features', '--schema', 'kdd']] as const) {
  test(`a mistyped capture does not empty what ${command} wrote before`, async () => {
    const out = path('earlier');
    writeFileSync(out, 'earlier');
    const ended = await portcullis(command, path('none.pcap'), ...more, '--out', out);
    assert.equal(ended.code, 1, ended.stderr);
    assert.equal(readFileSync(out, 'utf8'), 'earlier');
  });
}

test('a reader that leaves early ends analyze in order, in the midst of its models too', async () => {
  const script = '"$@" | head -c 200; echo; echo "code ${PIPESTATUS[0]}"';
  const analyze = [NODE, MAIN, 'analyze', scanCapture(), '--flows'];
  const { stdout, stderr } = await lab.hosts.router.run('bash', ['-c', script, 'bash', ...analyze], { limitSecs: 120 });
  assert.match(stdout, /"event_type":"flow"[^]*\ncode 0\n$/);
  assert.equal(stderr, '');
  const { stdout: whole } = await portcullis('analyze', path('scan.pcap'), '--flows');
  assert.ok(whole.length > 500_000, 'more than a pipe holds: the reader does leave early');
});
