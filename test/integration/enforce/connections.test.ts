import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { parseCidr } from '../../../src/util/ip.js';
import { openConntrack } from '../../../src/enforce/netlink/conntrack.js';
import { AT_ONCE_MS, INSIDE4, INSIDE6, OUT4, OUT6, ROUTER4, skipReason, TestNet } from './net.js';
import { block, startResponder, until, type TestResponder } from './setup.js';

const [A, B] = OUT4;

describe('connections of what is blocked', { skip: skipReason, timeout: 600_000 }, () => {
  let net: TestNet;
  let t: TestResponder | undefined;
  before(async () => {
    net = await new TestNet().up();
  });
  after(() => net.down());
  afterEach(async () => {
    await t?.end();
    t = undefined;
    net.nft('flush', 'ruleset');
  });

  /** The source of a packet is looked at on its way to the box only: forwarded sessions are the other firewall's business. */
  const start = async (conntrack: 'off' | 'delete', hook = 'input'): Promise<TestResponder> => {
    t = await startResponder(net.router, { on_stop: 'flush', conntrack, hooks: [{ hook, priority: -10 }] });
    return t;
  };
  const decide = async (value: string, more: Parameters<typeof block>[1] = {}): Promise<void> => {
    const decision = block(value, more);
    t?.responder.decide(decision);
    assert.equal((await t?.reportOf(decision.id))?.enforcement, 'applied');
  };
  const session = async (id: string, local: string, port = 80): Promise<void> => {
    assert.ok((await net.out.ask('open', { id, host: INSIDE4, port, local })).ok);
    for (let i = 0; i < 5; i++) assert.ok((await net.out.ask('echo', { id })).ok);
  };
  const lives = async (id: string): Promise<boolean> => (await net.out.ask('echo', { id })).ok;
  const isDead = async (id: string): Promise<boolean> => !(await net.out.ask('echo', { id, timeoutMs: AT_ONCE_MS })).ok;

  /** The usual stateful firewall: what is established passes, a connection must begin with a SYN. */
  const otherFirewall = (): void => {
    net.nft('add table inet other');
    net.nft('add chain inet other f { type filter hook forward priority 0; policy accept; }');
    net.nft('add rule inet other f ct state established,related accept');
    net.nft('add rule inet other f ct state new tcp flags & (syn|ack) != syn drop');
  };

  it('control: a rule that accepts what is established lets a session live', async () => {
    otherFirewall();
    await start('off');
    await session('a', A);
    await decide(A);
    assert.ok(await lives('a'), 'this is what conntrack: delete is for');
  });

  it('are forgotten, so that such a rule lets them live no longer; others go on', async () => {
    otherFirewall();
    await start('delete');
    await session('a', A);
    await session('b', B);
    await decide(A);
    await until(() => isDead('a'));
    assert.ok(await lives('b'), 'the session of another host goes on');
    assert.ok(Number(t?.responder.state().stats['connections_forgotten']) >= 1);
  });

  it('of the box itself are forgotten as well', async () => {
    await start('delete', 'prerouting');
    net.nft('add table inet other');
    net.nft('add chain inet other i { type filter hook input priority 0; policy accept; }');
    net.nft('add rule inet other i ct state established accept');
    assert.ok((await net.out.ask('open', { id: 'box', host: ROUTER4, port: 80, local: A })).ok);
    await decide(A);
    await until(() => Number(t?.responder.state().stats['connections_forgotten']) >= 1);
    assert.ok(await isDead('box'));
  });

  it('are found by either end, in both directions of NAT, by service and by prefix', async () => {
    await start('off');
    otherFirewall();
    net.nft('add table ip nat');
    net.nft('add chain ip nat pre { type nat hook prerouting priority -100; }');
    net.nft(`add rule ip nat pre ip daddr ${ROUTER4} tcp dport 8080 dnat to ${INSIDE4}:80`);
    net.nft('add chain ip nat post { type nat hook postrouting priority 100; }');
    net.nft('add rule ip nat post oifname "r-o" ip saddr 10.50.2.0/24 masquerade');
    const table = openConntrack({ netns: net.router });
    const forget = (text: string, more: { proto?: number; port?: number } = {}): Promise<number> =>
      table.forget([{ network: parseCidr(text)!, ...more }]);
    try {
      const open = async (id: string): Promise<void> => {
        assert.ok((await net.out.ask('open', { id, host: ROUTER4, port: 8080, local: A })).ok);
      };
      await forget('0.0.0.0/0');
      await open('n1');
      assert.equal(await forget(B), 0, 'control: another host has none');
      assert.equal(await forget(A), 1, 'by the source of a forwarded port');
      await open('n2');
      assert.equal(await forget(INSIDE4), 1, 'by the host behind it');
      await open('n3');
      assert.equal(await forget(A, { proto: 6, port: 443 }), 0);
      assert.equal(await forget(A, { proto: 6, port: 80 }), 1, 'by the port after translation');
      await open('n4');
      assert.equal(await forget('203.0.113.0/24'), 1, 'by prefix');
      assert.ok((await net.in.ask('open', { id: 'm', host: A, port: 80, local: INSIDE4 })).ok);
      assert.equal(await forget(A), 1, 'an outgoing connection behind masquerade');
      assert.ok((await net.out.ask('open', { id: 'six', host: INSIDE6, port: 80, local: OUT6[0] })).ok);
      assert.equal(await forget('2001:db8:1::/64'), 1, 'IPv6 by /64');
    } finally {
      table.close();
    }
  });
});
