import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { runDoctor, type CanaryResult, type DoctorItem } from '../../../src/enforce/index.js';
import { INSIDE4, OUT4, ROUTER4, skipReason, TestNet } from './net.js';
import { options } from '../../unit/enforce/helpers.js';
import { block, startResponder, until, type TestResponder } from './setup.js';

const [A, B, C, FAR] = OUT4;

describe('nobody is locked out', { skip: skipReason, timeout: 600_000 }, () => {
  let net: TestNet;
  let t: TestResponder;
  before(async () => {
    net = new TestNet();
    await net.up();
  });
  after(() => net.down());
  beforeEach(async () => {
    t = await startResponder(net.router, {
      on_stop: 'keep',
      guard: { widest_prefix4: 8, max_changes_per_minute: 100_000, protected: [FAR] },
      prefix_lengths4: [32, 24, 16, 8],
    });
    t.responder.setProtect([{ value: B, reason: 'admin_session', detail: 'console' }]);
    await t.responder.idle();
  });
  afterEach(async () => {
    await t.end();
    net.nft('flush', 'ruleset');
  });

  it('never drops a protected address, whatever is decided', async () => {
    let seed = 7;
    const random = (n: number): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return Math.floor((seed / 2 ** 32) * n);
    };
    const hosts = [A, B, C, FAR, ROUTER4, INSIDE4, '10.50.1.2', '127.0.0.1'];
    for (let i = 0; i < 600; i++) {
      const host = hosts[random(hosts.length)]!;
      const value = random(2) === 0 ? host : `${host}/${8 + random(25)}`;
      const scope = value.includes('/') ? 'cidr' : (['ip', 'service', 'flow'] as const)[random(3)]!;
      const action = (['block', 'block', 'rate_limit', 'watch'] as const)[random(4)]!;
      const traffic = (['from', 'to', 'both'] as const)[random(3)]!;
      const origin = (['policy', 'operator', 'api', 'feed', 'siem'] as const)[random(5)]!;
      t.responder.decide(
        block(value, { scope, action, traffic, origin, proto: 17, port: 80, peer: INSIDE4, peerPort: 5000 }),
      );
    }
    await t.responder.idle();
    const applied = t.reports.filter((r) => r.enforcement === 'applied').length;
    assert.ok(applied > 100 && t.reports.some((r) => r.enforcement === 'rejected'), `${applied} applied`);
    assert.equal(await net.out.canPing(INSIDE4, 80, A), false, 'control: an unprotected address is blocked');
    for (const kept of [B, FAR]) assert.ok(await net.out.isAnswered(ROUTER4, 80, kept), `${kept} reaches the box`);
    assert.ok(await net.box.isAnswered(B, 81, ROUTER4), 'the box reaches a protected address');
    await t.responder.stop();
    net.nft('flush', 'chain', 'inet', 'portcullis', 'exempt4');
    assert.equal(await net.out.canPing(ROUTER4, 80, B), false, 'control: without the exemptions it is dropped');
    net.nft('delete', 'table', 'inet', 'portcullis');
  });

  it('refuses to block the gateway, itself, and everything', async () => {
    for (const value of [ROUTER4, '10.50.0.0/16', '0.0.0.0/0', '::/0', '127.0.0.1', B, FAR]) {
      const decision = block(value, { origin: 'operator' });
      t.responder.decide(decision);
      const report = await t.reportOf(decision.id);
      assert.equal(report.enforcement, 'rejected', value);
      assert.ok(report.error !== undefined && report.error.length > 5);
    }
    assert.equal(t.responder.state().desired, 0);
  });

  it('protects a new address of the box as soon as it appears', async () => {
    const { execFileSync } = await import('node:child_process');
    execFileSync('ip', ['-n', net.router, 'addr', 'add', '203.0.113.200/32', 'dev', 'lo']);
    try {
      const found = await until(() => t.responder.state().protected.find((p) => p.value === '203.0.113.200'));
      assert.deepEqual([found.reason, found.detail], ['own_address', 'lo']);
      await t.responder.idle();
      assert.match(net.nft('list', 'set', 'inet', 'portcullis', 'protect4_32'), /203\.0\.113\.200/);
    } finally {
      execFileSync('ip', ['-n', net.router, 'addr', 'del', '203.0.113.200/32', 'dev', 'lo']);
    }
  });

  it('proves in the live table that a block blocks, and leaves nothing behind', async () => {
    const result = (await t.responder.ask('canary')) as CanaryResult;
    assert.deepEqual(
      result.steps.filter((s) => !s.ok),
      [],
    );
    assert.equal(result.ok, true);
    assert.ok(result.steps.length >= 4 && result.steps.every((s) => s.ms >= 0));
    assert.doesNotMatch(net.nft('list', 'set', 'inet', 'portcullis', 'out4_32'), /elements/);
  });

  it('says so critically when a test block does not hold', async () => {
    net.nft('flush', 'chain', 'inet', 'portcullis', 'screen_out4');
    const result = (await t.responder.ask('canary')) as CanaryResult;
    assert.equal(result.ok, false);
    assert.ok(t.incidents.some((i) => i.code === 'enforce.canary_failed' && i.severity === 'critical'));
  });

  it('proves by itself, on schedule, that a block blocks; a failure is told critically, a box without a route is not one', async () => {
    await t.end();
    const route = (what: 'add' | 'delete'): void => {
      execFileSync('ip', ['-n', net.router, 'route', what, '203.0.113.0/24', 'via', '10.50.1.2']);
    };
    route('delete');
    const scheduled = await startResponder(net.router, { canary_interval_secs: 1 });
    const canary = () => scheduled.responder.state().stats;
    await until(() => canary()['canary_ok'] === false || canary()['canary_detail'] !== undefined);
    assert.match(String(canary()['canary_detail']), /no route/);
    assert.equal(scheduled.incidents.length, 0);
    route('add');
    try {
      await until(() => canary()['canary_ok'] === true);
      const first = canary()['canary_last_ms'];
      await until(() => canary()['canary_last_ms'] !== first);
      net.nft('add table inet other; add chain inet other c { type filter hook output priority -400; policy accept; }');
      net.nft('add rule inet other c ip daddr { 192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24 } drop');
      await until(() => scheduled.incidents.some((i) => i.code === 'enforce.canary_failed'));
      assert.equal(scheduled.incidents.find((i) => i.code === 'enforce.canary_failed')?.severity, 'critical');
    } finally {
      await scheduled.end();
      net.nft('flush', 'ruleset');
      t = await startResponder(net.router);
    }
  });

  it('finds with the doctor what would let packets through', async () => {
    const find = async (id: string): Promise<DoctorItem> =>
      (await runDoctor(options({ state_dir: t.dir }), { netns: net.router })).find((i) => i.id === id)!;
    assert.equal((await find('ruleset.table')).status, 'ok');
    assert.equal((await find('ruleset.established')).status, 'ok');
    net.nft('add table inet portcullis { flags dormant; }');
    // The responder is healing meanwhile; the doctor may look in the moment in which the table is gone.
    await until(async () => (await runDoctor(options(), { netns: net.router })).length > 8);
    await until(async () => (await find('ruleset.table')).status === 'ok');
    net.nft('add', 'table', 'ip', 'filter');
    net.nft('add chain ip filter DOCKER-USER');
    try {
      assert.match((await find('ruleset.companions')).detail, /Docker/);
    } finally {
      net.nft('delete', 'table', 'ip', 'filter');
    }
  });
});
