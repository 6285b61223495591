import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { parsePolicy } from '../../../src/policy/index.js';
import { waitFor } from '../../lab/wait.js';
import { nodeArgs } from '../../support/program.js';
import { CROWD, openNet, PORT, skipReason, type Net } from './net.js';

const FIRST = 4300;
/** Long enough that a busy machine is not taken for a dead daemon. */
const ALIVE_MS = 3000;
const MAX_LATENCY_MS = 700;
const MAX_PACKETS = 64;
const RULES = `
reject udp any any -> any ${PORT} (msg:"datagram"; content:"refuse-me"; sid:1900001; rev:1;)
drop tcp any any -> any any (msg:"stream"; flow:established,to_server; content:"attack"; sid:1900002; rev:1;)
`;
const POLICY = `
format: 1
name: p
description: What a rule asks for.
when: { tiers: [signature] }
outcome: monitor
inline: { verdict: rule }
`;

const NAT = `
table ip inlnat
delete table ip inlnat
table ip inlnat {
  chain pre { type nat hook prerouting priority -100; ip daddr 10.91.1.1 tcp dport 7008 dnat to 10.91.2.2:${PORT}; }
  chain post { type nat hook postrouting priority 100; oifname "r2" ct status & dnat == 0 masquerade; }
}
`;

/** The inline daemon as the operator starts it, told beforehand what a server would tell it. */
class Daemon {
  output = '';
  private readonly dir = mkdtempSync(join(tmpdir(), 'portcullis-inline-test-'));
  private readonly child: ChildProcess;
  private readonly netns: string;
  private readonly configFile: string;

  constructor(netns: string, inline: Record<string, unknown>) {
    const state = join(this.dir, 'state');
    mkdirSync(state, { mode: 0o700 });
    const parsed = parsePolicy(POLICY, 'p.yaml');
    assert.ok(parsed.ok);
    const policies = [{ ...parsed.policy, version: 1, source: 'p.yaml' }];
    writeFileSync(join(state, 'told.json'), JSON.stringify({ mode: 'enforce', policies, exempt: [] }));
    const rules = join(this.dir, 'test.rules');
    writeFileSync(rules, RULES);
    const { queue = {}, ...more } = inline as { queue?: object };
    const config = {
      name: 'test',
      data_dir: this.dir,
      runtime_dir: this.dir,
      detect: { signature: { rules: [rules] } },
      inline: {
        enabled: true,
        state_dir: state,
        services: [`udp/${PORT}`, `tcp/${PORT}`],
        alive_ms: ALIVE_MS,
        overload: { max_latency_ms: MAX_LATENCY_MS, recover_ms: 300 },
        queue: { first: FIRST, max_packets: MAX_PACKETS, ...queue },
        ...more,
      },
    };
    this.netns = netns;
    this.configFile = join(this.dir, 'portcullis.yaml');
    writeFileSync(this.configFile, JSON.stringify(config));
    this.child = spawn('ip', this.command('inline'), { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.child.stdout, this.child.stderr])
      stream!.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
  }

  /** Arguments of `ip` that run a sub-command in the router. */
  private command(...args: string[]): string[] {
    const main = nodeArgs('src/cli/main.ts');
    return ['netns', 'exec', this.netns, process.execPath, ...main, ...args, '--config', this.configFile];
  }

  /** What `portcullis doctor` says of the verdicts. */
  doctor(): string {
    const { stdout, stderr } = spawnSync('ip', this.command('doctor', '--json'), { encoding: 'utf8' });
    assert.match(stdout, /^\[/, stderr);
    const items = JSON.parse(stdout) as { id: string; status: string; detail: string }[];
    const item = items.find(({ id }) => id === 'inline.judging');
    return `${item?.status} ${item?.detail}`;
  }

  /** `portcullis decision flush`: what it says, on both ways. */
  breakGlass(): string {
    const { stdout, stderr } = spawnSync('ip', this.command('decision', 'flush'), { encoding: 'utf8' });
    return stdout + stderr;
  }

  async says(what: RegExp, limitMs = 60_000): Promise<void> {
    await waitFor(`the daemon says ${what}`, () => what.test(this.output), { limitMs }).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${this.output}`);
    });
  }

  /** The daemon's process and those of its workers. */
  pids(): number[] {
    const own = this.child.pid!;
    const children = readFileSync(`/proc/${own}/task/${own}/children`, 'utf8').trim();
    return [own, ...(children === '' ? [] : children.split(' ').map(Number))];
  }

  /** Stops all processes for a while. */
  async freeze<T>(during: () => Promise<T>): Promise<T> {
    const pids = this.pids();
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    try {
      return await during();
    } finally {
      for (const pid of pids) process.kill(pid, 'SIGCONT');
    }
  }

  async close(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = new Promise((resolve) => this.child.once('exit', resolve));
      this.child.kill('SIGTERM');
      await ended;
    }
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** The kernel's view of a queue: packets handed over and dropped because it was full. */
function kernelQueue(net: Net, number: number): { packets: number; full: number; waiting: number } {
  const text = net.read('/proc/net/netfilter/nfnetlink_queue');
  const line = text.split('\n').find((l) => Number(l.trim().split(/\s+/)[0]) === number) ?? '';
  const [, , waiting = 0, , , full = 0, , packets = 0] = line.trim().split(/\s+/).map(Number);
  return { packets, full, waiting };
}

describe('the inline daemon when it fails open', { skip: skipReason, timeout: 600_000 }, () => {
  let net: Net;
  let daemon: Daemon;
  before(async () => {
    net = await openNet('open');
    daemon = new Daemon(net.router, {});
    await daemon.says(/Packets are judged/, 60_000);
  });
  after(async () => {
    await daemon?.close();
    net?.close();
  });

  it('a rejected datagram is answered with "port unreachable", the next one passes', async () => {
    assert.equal(await net.ask('udp', 'refuse-me'), 'ECONNREFUSED');
    assert.equal(await net.ask('udp', 'fine'), 'fine');
  });

  for (const [kind, to] of [
    ['the destination is translated', { host: '10.91.1.1', port: 7008 }],
    ['the source is translated', {}],
  ] as const)
    it(`a cut connection is reset at the server also when ${kind}`, async () => {
      net.nft(NAT);
      assert.equal(await net.ask('tcp', 'hello', to), 'hello', 'the control');
      assert.equal(await net.ask('tcp', 'attack', { ...to, limitMs: 400 }), undefined);
      await waitFor('the server has no connection left', () => net.connections() === '');
    });

  it('what does not fit into the queue passes; what waited too long is an overload, told, and over by itself', async () => {
    const answers = await daemon.freeze(async () => {
      const n = await net.burst(3 * MAX_PACKETS, 300);
      await pause(MAX_LATENCY_MS);
      return n;
    });
    assert.ok(answers > 0 && answers <= 2 * MAX_PACKETS, `${answers} answers: a queue of ${MAX_PACKETS} was full`);
    await daemon.says(/Packets waited longer than/);
    await daemon.says(/The overload is over/);
    assert.equal(await net.ask('udp', 'refuse-me'), 'ECONNREFUSED', 'judged again');
  });

  it('stopped, it lets traffic pass within the stated time and says afterwards for how long', async () => {
    await daemon.freeze(async () => {
      assert.equal(await net.ask('udp', 'refuse-me', { limitMs: 200 }), undefined, 'held at first');
      await waitFor('it passes', async () => (await net.ask('udp', 'refuse-me', { limitMs: 1000 })) === 'refuse-me');
    });
    await daemon.says(/Nobody judged packets for \d+ ms: traffic passed unjudged/);
    await waitFor('judged again', async () => (await net.ask('udp', 'refuse-me')) === 'ECONNREFUSED');
  });

  it('the doctor says whether packets are judged, and why not', async () => {
    assert.match(daemon.doctor(), /^ok Chosen packets are judged \(enforce, fail open\)/);
    await daemon.freeze(async () => {
      await waitFor('it passes', async () => (await net.ask('udp', 'refuse-me', { limitMs: 1000 })) === 'refuse-me');
      assert.match(daemon.doctor(), /^problem The inline daemon shows no life: chosen traffic passes unjudged/);
      net.run('nft', 'flush', 'ruleset');
      assert.match(daemon.doctor(), /^problem The rules .* are not all there/);
    });
    await waitFor('judged again', async () => (await net.ask('udp', 'refuse-me')) === 'ECONNREFUSED');
  });

  it("iptables' tables emptied by somebody else are filled again, and this is told", async () => {
    daemon.output = '';
    net.run('iptables-nft', '-t', 'mangle', '-F');
    net.run('nft', 'flush', 'chain', 'inet', 'portcullis_inline', 'to_queue');
    await daemon.says(/were gone and are loaded again/);
    assert.equal(await net.ask('udp', 'refuse-me'), 'ECONNREFUSED');
  });
});

describe('two workers that fail closed', { skip: skipReason, timeout: 600_000 }, () => {
  let net: Net;
  let daemon: Daemon;
  before(async () => {
    net = await openNet('shut');
    daemon = new Daemon(net.router, { fail: 'closed', queue: { fanout: 2 } });
    await daemon.says(/Packets are judged/, 60_000);
  });
  after(async () => {
    await daemon?.close();
    net?.close();
  });

  it('packets of many addresses are spread over the queues, and all of them judged', async () => {
    assert.equal(await net.burst(2 * CROWD.length, 1000), 2 * CROWD.length);
    for (const number of [FIRST, FIRST + 1]) {
      const { packets } = kernelQueue(net, number);
      assert.ok(packets > 0, `queue ${number}`);
    }
    for (const host of [undefined, 'fd91:2::2'])
      assert.equal(await net.ask('udp', 'refuse-me', host === undefined ? {} : { host }), 'ECONNREFUSED');
  });

  it('nothing passes while they are stopped, also when the queues are full; then it goes on, and this is told', async () => {
    await daemon.freeze(async () => {
      assert.equal(await net.burst(8 * MAX_PACKETS, 300), 0);
      const queues = [kernelQueue(net, FIRST), kernelQueue(net, FIRST + 1)];
      assert.ok(
        queues.some((q) => q.waiting === MAX_PACKETS && q.full > 0),
        JSON.stringify(queues),
      );
      await pause(ALIVE_MS);
      assert.equal(await net.ask('udp', 'late', { limitMs: 200 }), undefined);
    });
    await daemon.says(/Nobody judged packets for \d+ ms: chosen traffic waited or was dropped/);
    await waitFor('it goes on', async () => (await net.ask('udp', 'on', { limitMs: 3000 })) === 'on');
    assert.doesNotMatch(daemon.output, /passes unjudged/);
  });

  it('a ruleset that somebody else emptied is loaded again, and this is told', async () => {
    daemon.output = '';
    net.run('nft', 'flush', 'ruleset');
    await daemon.says(/were gone and are loaded again/);
    assert.equal(await net.ask('udp', 'refuse-me'), 'ECONNREFUSED');
  });

  it('a worker that is killed is replaced; until then its packets are dropped', async () => {
    const [, worker] = daemon.pids();
    process.kill(worker!, 'SIGKILL');
    await daemon.says(/The worker of queue \d+ ended/);
    await waitFor('all addresses are served', async () => (await net.burst(CROWD.length, 500)) === CROWD.length);
    assert.equal(await net.ask('udp', 'refuse-me'), 'ECONNREFUSED');
  });

  it('break-glass leaves what is being judged, and says how to end that', async () => {
    assert.match(daemon.breakGlass(), /The inline daemon runs and goes on dropping/);
    assert.equal(await net.ask('udp', 'refuse-me'), 'ECONNREFUSED');
  });

  it('the doctor says that nobody listens when all are killed', async () => {
    for (const pid of daemon.pids()) process.kill(pid, 'SIGKILL');
    const said = await waitFor('nobody listens', () => {
      const text = daemon.doctor();
      return text.startsWith('ok') ? undefined : text;
    });
    assert.match(said, /^problem Nobody listens at each of the queues 4300 to 4301: chosen traffic is dropped/);
    assert.equal(await net.ask('udp', 'closed', { limitMs: 300 }), undefined);
  });

  it('break-glass lifts what drops everything while the daemon is gone', async () => {
    assert.equal(await net.ask('udp', 'closed', { limitMs: 300 }), undefined, 'the control');
    assert.match(daemon.breakGlass(), /The rules of the inline daemon, which is gone, are removed too/);
    for (const host of [undefined, 'fd91:2::2'])
      assert.equal(await net.ask('udp', 'free', host === undefined ? {} : { host }), 'free');
    assert.doesNotMatch(daemon.breakGlass(), /inline daemon/);
  });
});
