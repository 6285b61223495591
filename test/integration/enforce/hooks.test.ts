import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, afterEach, before, describe, it } from 'node:test';
import { Agent, AT_ONCE_MS, INSIDE4, OUT4, OUT6, PATIENCE_MS, ROUTER4, ROUTER6, skipReason, TestNet } from './net.js';
import { block, startResponder, until, type TestResponder } from './setup.js';

const [A, B] = OUT4;

/** How long an answer is waited for that should come, or should not. */
const timeFor = (comes: boolean): number => (comes ? PATIENCE_MS : AT_ONCE_MS);

async function decide(t: TestResponder, value: string, more: Parameters<typeof block>[1] = {}): Promise<void> {
  const decision = block(value, more);
  t.responder.decide(decision);
  assert.equal((await t.reportOf(decision.id)).enforcement, 'applied');
}

describe('the hooks that the options name', { skip: skipReason, timeout: 600_000 }, () => {
  let net: TestNet;
  let t: TestResponder | undefined;
  before(async () => {
    net = await new TestNet().up();
  });
  after(() => net.down());
  afterEach(async () => {
    await t?.end();
    t = undefined;
  });

  const cases = [
    {
      name: 'prerouting sees what is for the box and what is forwarded',
      hooks: ['prerouting'],
      box: false,
      through: false,
    },
    { name: 'input sees what is for the box only', hooks: ['input'], box: false, through: true },
    { name: 'forward sees what is forwarded only', hooks: ['forward'], box: true, through: false },
    { name: 'input and forward see both', hooks: ['input', 'forward'], box: false, through: false },
  ];
  for (const { name, hooks, box, through } of cases) {
    it(name, async () => {
      t = await startResponder(net.router, { on_stop: 'flush', hooks: hooks.map((hook) => ({ hook, priority: -5 })) });
      assert.match(net.nft('list', 'table', 'inet', 'portcullis'), new RegExp(`hook ${hooks[0] ?? ''} priority`));
      await decide(t, A);
      assert.equal(await net.out.canPing(ROUTER4, 80, A, timeFor(box)), box);
      assert.equal(await net.out.canPing(INSIDE4, 80, A, timeFor(through)), through);
      assert.ok(await net.out.isAnswered(ROUTER4, 80, B), 'control: another host passes');
    });
  }

  it('ingress of an interface stops IPv4 and IPv6 before anything else sees the packet', async () => {
    t = await startResponder(net.router, {
      on_stop: 'flush',
      hooks: [{ hook: 'forward', priority: 300 }],
      ingress_interfaces: ['r-o'],
    });
    net.nft('add table inet earlier');
    net.nft('add chain inet earlier c { type filter hook prerouting priority -400; policy accept; }');
    net.nft(`add rule inet earlier c ip saddr ${A} counter`);
    try {
      await decide(t, A);
      await decide(t, OUT6[0]);
      assert.equal(await net.out.canPing(ROUTER4, 80, A), false, 'though no hook of ours looks at what is for the box');
      assert.equal(await net.out.canPing(ROUTER6, 80, OUT6[0]), false);
      assert.match(net.nft('list', 'table', 'inet', 'earlier'), /counter packets 0 bytes 0/);
    } finally {
      net.nft('delete table inet earlier');
    }
  });

  it('an interface that is not there does not keep the others from blocking, and is screened when it comes', async () => {
    t = await startResponder(net.router, { on_stop: 'flush', ingress_interfaces: ['r-o', 'later0'] });
    assert.ok(t.incidents.some((i) => i.code === 'enforce.ingress_missing'));
    await decide(t, A);
    assert.equal(await net.out.canPing(ROUTER4, 80, A), false);
    execFileSync('ip', ['-n', net.router, 'link', 'add', 'later0', 'type', 'veth', 'peer', 'name', 'later1']);
    try {
      await until(() => net.nft('list', 'table', 'inet', 'portcullis').includes('from_ingress_later0'));
      assert.equal(await net.out.canPing(ROUTER4, 80, A), false);
    } finally {
      execFileSync('ip', ['-n', net.router, 'link', 'delete', 'later0']);
    }
    await until(() => t?.responder.state().enforced === 1);
    assert.equal(await net.out.canPing(ROUTER4, 80, A), false, 'and when it goes again the others block on');
  });
});

describe('a bridge', { skip: skipReason, timeout: 600_000 }, () => {
  const name = `enf-${process.pid}-br`;
  const [bridge, left, right] = [`${name}-b`, `${name}-l`, `${name}-r`];
  const ip = (...args: string[]): void => {
    execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  };
  let agents: Agent[] = [];
  before(async () => {
    for (const ns of [bridge, left, right]) ip('netns', 'add', ns);
    ip('-n', bridge, 'link', 'add', 'br0', 'type', 'bridge');
    for (const [ns, port, address] of [
      [left, 'p-l', '10.60.0.1/24'],
      [right, 'p-r', '10.60.0.2/24'],
    ] as const) {
      ip('link', 'add', port, 'netns', bridge, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', ns);
      ip('-n', bridge, 'link', 'set', port, 'master', 'br0', 'up');
      ip('-n', ns, 'addr', 'add', address, 'dev', 'eth0');
      ip('-n', ns, 'link', 'set', 'eth0', 'up');
    }
    ip('-n', left, 'addr', 'add', '10.60.0.9/24', 'dev', 'eth0');
    ip('-n', bridge, 'link', 'set', 'br0', 'up');
    // With br_netfilter the inet hooks see bridged packets too; without, and with this off, only the bridge family does.
    const file = '/proc/sys/net/bridge/bridge-nf-call-iptables';
    execFileSync('ip', ['netns', 'exec', bridge, 'sh', '-c', `[ ! -e ${file} ] || echo 0 > ${file}`]);
    agents = [new Agent(left), new Agent(right)];
    await agents[1]?.ask('serve', { proto: 'udp', host: '0.0.0.0', port: 80 });
    await until(() => agents[0]?.canPing('10.60.0.2', 80, '10.60.0.1'));
  });
  after(() => {
    for (const agent of agents) agent.stop();
    for (const ns of [bridge, left, right]) execFileSync('ip', ['netns', 'delete', ns]);
  });

  it('is screened with bridge: true, and only then', async () => {
    for (const screened of [false, true]) {
      const t = await startResponder(bridge, { on_stop: 'flush', bridge: screened });
      try {
        await decide(t, '10.60.0.1');
        const passes = await agents[0]?.canPing('10.60.0.2', 80, '10.60.0.1', timeFor(!screened));
        assert.equal(passes, !screened, `bridge: ${screened}`);
        assert.ok(await agents[0]?.isAnswered('10.60.0.2', 80, '10.60.0.9'), 'its neighbour passes');
      } finally {
        await t.end();
      }
    }
  });
});
