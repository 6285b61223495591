import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { AT_ONCE_MS, INSIDE4, INSIDE6, OUT4, OUT6, ROUTER4, skipReason, TestNet } from './net.js';
import { block, startResponder, until, type TestResponder } from './setup.js';

const [A, B, C, FAR] = OUT4;

describe('blocks on real traffic through a router', { skip: skipReason, timeout: 600_000 }, () => {
  let net: TestNet;
  let t: TestResponder;
  before(async () => {
    net = new TestNet();
    await net.up();
  });
  after(() => net.down());
  beforeEach(async () => {
    t = await startResponder(net.router, { on_stop: 'flush', hits_interval_secs: 1 });
  });
  afterEach(() => t.end());

  const decide = async (...args: Parameters<typeof block>): Promise<string> => {
    const decision = block(...args);
    t.responder.decide(decision);
    const report = await t.reportOf(decision.id);
    assert.equal(report.enforcement, 'applied', report.error);
    assert.ok(report.kernelUs >= report.receivedUs && report.receivedUs > 0);
    return decision.id;
  };

  it('passes everything while nothing is blocked', async () => {
    // The hosts have only just come up: neighbours and addresses settle first.
    for (const local of OUT4) await until(() => net.out.canConnect(INSIDE4, 80, local));
    await until(() => net.out.canConnect(INSIDE6, 80, OUT6[0]));
  });

  it('stops a host to the box itself, to forwarded hosts and by UDP, and lets it back after the release', async () => {
    const id = await decide(A);
    assert.equal(await net.out.canConnect(INSIDE4, 80, A), false);
    assert.equal(await net.out.canConnect(ROUTER4, 80, A), false);
    assert.equal(await net.out.canPing(INSIDE4, 80, A), false);
    assert.ok(await net.out.connects(INSIDE4, 80, B));
    t.responder.release(id, 'test');
    assert.equal((await t.reportOf(id, 'revoked')).error, undefined);
    assert.ok(await net.out.connects(INSIDE4, 80, A));
  });

  it('stops a whole prefix except an allowed host inside it', async () => {
    await t.responder.setAllow([{ id: '1', value: B, owner: 'o', comment: 'c', createdMs: 0, expiresMs: 0 }]);
    await decide('203.0.113.0/24');
    assert.equal(await net.out.canConnect(INSIDE4, 80, A), false);
    assert.equal(await net.out.canConnect(INSIDE4, 80, C), false);
    assert.ok(await net.out.connects(INSIDE4, 80, B));
    assert.ok(await net.out.connects(INSIDE4, 80, FAR));
    await t.responder.setAllow([]);
    await t.responder.idle();
    assert.equal(await net.out.canConnect(INSIDE4, 80, B), false);
  });

  it('covers a prefix length without a set by several elements', async () => {
    const id = await decide('203.0.113.8/29');
    assert.match((await t.reportOf(id)).note ?? '', /8 \/32 elements/);
    assert.ok(await net.out.connects(INSIDE4, 80, A));
    assert.equal(await net.out.canConnect(INSIDE4, 80, B), false);
    assert.equal(await net.out.canConnect(INSIDE4, 80, C), false);
  });

  it('enforces an IPv4-mapped IPv6 address as IPv4', async () => {
    await decide(`::ffff:${A}`);
    assert.equal(await net.out.canConnect(INSIDE4, 80, A), false);
  });

  it('stops an IPv6 /64 with every address in it, and not its neighbour', async () => {
    await decide('2001:db8:1::/64');
    assert.equal(await net.out.canConnect(INSIDE6, 80, OUT6[0]), false);
    assert.equal(await net.out.canConnect(INSIDE6, 80, OUT6[1]), false);
    assert.ok(await net.out.connects(INSIDE6, 80, OUT6[2]));
  });

  it('leaves other ports open when it blocks a service', async () => {
    await decide(A, { scope: 'service', proto: 6, port: 80 });
    assert.equal(await net.out.canConnect(INSIDE4, 80, A), false);
    assert.ok(await net.out.connects(INSIDE4, 81, A));
    assert.ok(await net.out.isAnswered(INSIDE4, 80, A));
  });

  it('kills an established TCP session, also one that conntrack and an accept rule know', async () => {
    net.nft('add table inet other');
    net.nft('add chain inet other f { type filter hook forward priority 0; policy accept; }');
    net.nft('add rule inet other f ct state established,related accept');
    try {
      for (const [id, local] of [
        ['a', A],
        ['b', B],
      ] as const) {
        assert.ok((await net.out.ask('open', { id, host: INSIDE4, port: 80, local })).ok);
        assert.ok((await net.out.ask('echo', { id })).ok);
      }
      await decide(A);
      assert.equal((await net.out.ask('echo', { id: 'a', timeoutMs: AT_ONCE_MS })).ok, false);
      assert.ok((await net.out.ask('echo', { id: 'b' })).ok);
    } finally {
      net.nft('delete table inet other');
    }
  });

  it('blocks one flow and no other of the same host', async () => {
    const open = { host: INSIDE4, port: 80, local: C };
    assert.ok((await net.out.ask('open', { id: 'f', ...open })).ok);
    await decide(C, { scope: 'flow', proto: 6, port: 81, peer: INSIDE4, peerPort: 12345, traffic: 'both' });
    assert.ok((await net.out.ask('echo', { id: 'f' })).ok);
    const sets = net.nft('list', 'set', 'inet', 'portcullis', 'flow4_32');
    assert.match(sets, /203\.0\.113\.9 \. 10\.50\.2\.2 \. tcp \. 12345 \. 81/);
    assert.match(sets, /10\.50\.2\.2 \. 203\.0\.113\.9 \. tcp \. 81 \. 12345/);
  });

  it('screens the packets of a port forwarding before they are translated', async () => {
    net.nft('add table ip nat');
    net.nft('add chain ip nat pre { type nat hook prerouting priority -100; }');
    net.nft(`add rule ip nat pre ip daddr ${ROUTER4} tcp dport 8080 dnat to ${INSIDE4}:80`);
    try {
      assert.ok(await net.out.connects(ROUTER4, 8080, A));
      await decide(A);
      assert.equal(await net.out.canConnect(ROUTER4, 8080, A), false);
      assert.ok(await net.out.connects(ROUTER4, 8080, B));
      await decide(INSIDE4, { traffic: 'to' });
      assert.equal(
        await net.out.canConnect(ROUTER4, 8080, B),
        false,
        'the inside host is in quarantine after DNAT too',
      );
    } finally {
      net.nft('delete table ip nat');
    }
  });

  it('quarantines an inside host in both directions', async () => {
    assert.ok(await net.in.connects(FAR, 80, INSIDE4));
    await decide(INSIDE4, { traffic: 'both' });
    assert.equal(await net.out.canConnect(INSIDE4, 80, A), false);
    assert.equal(await net.in.canConnect(FAR, 80, INSIDE4), false);
    assert.ok(await net.out.connects(ROUTER4, 80, A));
  });

  it('stops traffic to an outside address from inside hosts and from the box', async () => {
    await decide(FAR, { traffic: 'to' });
    assert.equal(await net.in.canPing(FAR, 80, INSIDE4), false);
    const own = await net.box.ask('udp', { host: FAR, port: 80, local: ROUTER4 });
    assert.equal(own.refused, 1);
    assert.ok(await net.in.isAnswered(C, 80, INSIDE4));
  });

  it('lets a rate-limited host send what the limit allows, and drops the rest', async () => {
    await decide(A, { action: 'rate_limit' });
    const many = await net.out.ask('udp', { host: INSIDE4, port: 80, local: A, count: 500, timeoutMs: 700 });
    const { answers = 0, tookMs = 0 } = many;
    // A burst of 50, then 50 a second; the rest of them are answered late.
    assert.ok(answers >= 40 && answers <= 80 + tookMs / 20, `${answers} answers in ${tookMs} ms`);
    const other = await net.out.ask('udp', { host: INSIDE4, port: 80, local: B, count: 200 });
    assert.equal(other.answers, 200);
  });

  it('counts what a simulated decision would have stopped, and stops nothing', async () => {
    const id = await decide(A, { simulated: true });
    assert.equal((await t.reportOf(id)).simulated, true);
    assert.ok(await net.out.isAnswered(INSIDE4, 80, A));
    assert.ok((await until(() => t.hits.get(id))).packets >= 1);
  });

  it('reports the packets that each block has stopped', async () => {
    const id = await decide(A);
    await net.out.ask('udp', { host: INSIDE4, port: 80, local: A, count: 20, timeoutMs: AT_ONCE_MS });
    const hits = await until(() => [t.hits.get(id)].find((told) => (told?.packets ?? 0) >= 20));
    assert.equal(hits.packets, 20);
    assert.equal(hits.bytes, 20 * (20 + 8 + 5));
  });

  it('ends a block by the kernel timeout, also with the responder dead', async () => {
    await decide(A, { forMs: 12_000 });
    await t.responder.stop();
    const kept = await startResponder(net.router, { state_dir: t.dir, on_stop: 'keep' });
    await kept.responder.stop();
    assert.equal(await net.out.canPing(INSIDE4, 80, A), false);
    await until(() => net.out.canPing(INSIDE4, 80, A));
    t = await startResponder(net.router, { state_dir: t.dir, on_stop: 'flush' });
  });

  it('reports a decision as expired when its time is over', async () => {
    const id = await decide(A, { forMs: 3000 });
    await t.reportOf(id, 'expired');
    assert.ok(await net.out.isAnswered(INSIDE4, 80, A));
  });

  it('follows a renewal to a longer and to a shorter time', async () => {
    const first = block(A, { forMs: 4000 });
    t.responder.decide(first);
    await t.reportOf(first.id, 'applied');
    t.responder.decide({ ...first, durationSecs: 3600, expiresMs: Date.now() + 3_600_000 });
    await t.responder.idle();
    assert.match(net.nft('list', 'set', 'inet', 'portcullis', 'block4_32'), /timeout (1h|59m\d+s\d*m?s?)/);
    await until(() => Date.now() > first.expiresMs + 100);
    assert.equal(await net.out.canPing(INSIDE4, 80, A), false, 'the first end does not count any more');
    t.responder.decide({ ...first, durationSecs: 1, expiresMs: Date.now() + 400 });
    await until(() => net.out.canPing(INSIDE4, 80, A));
    await t.reportOf(first.id, 'expired');
  });

  it('keeps an element as long as any decision needs it', async () => {
    const one = await decide(A);
    const two = await decide(A);
    t.responder.release(one, 'test');
    await t.reportOf(one, 'revoked');
    assert.equal(await net.out.canPing(INSIDE4, 80, A), false);
    t.responder.release(two, 'test');
    await t.reportOf(two, 'revoked');
    assert.ok(await net.out.isAnswered(INSIDE4, 80, A));
  });
});
