import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { INSIDE4, OUT4, skipReason, TestNet } from './net.js';
import { block, startResponder, until, type TestResponder } from './setup.js';

const [A, B] = OUT4;

/** How soon it heals is measured by `portcullis bench --only enforce`, where nothing else runs beside it. */
describe('the kernel keeps holding what the list says', { skip: skipReason, timeout: 600_000 }, () => {
  let net: TestNet;
  let t: TestResponder;
  before(async () => {
    net = new TestNet();
    await net.up();
  });
  after(() => net.down());
  beforeEach(async () => {
    t = await startResponder(net.router, { on_stop: 'flush' });
    t.responder.decide(block(A));
    t.responder.decide(block('198.51.100.0/24'));
    await t.responder.idle();
  });
  afterEach(() => t.end());

  const isBlocked = async (): Promise<boolean> => !(await net.out.canPing(INSIDE4, 80, A));
  const text = (set: string): string => net.nft('list', 'set', 'inet', 'portcullis', set);
  const present = (set: string, key: string): boolean => {
    try {
      return text(set).includes(key);
    } catch {
      return false;
    }
  };

  it('restores everything after "nft flush ruleset" by somebody else', async () => {
    net.nft('flush', 'ruleset');
    await until(() => present('block4_32', A) && present('block4_24', '198.51.100.0'));
    assert.ok(await isBlocked());
    assert.ok(t.incidents.some((i) => i.code === 'enforce.drift'));
    assert.equal(t.responder.state().enforced, 2);
  });

  it('restores everything after a reload as the nftables service does it', async () => {
    const reload =
      'flush ruleset; table inet filter { chain input { type filter hook input priority 0; policy accept; }; }';
    net.nft(reload);
    await until(() => present('block4_32', A) && present('block4_24', '198.51.100.0'));
    assert.ok(await isBlocked());
    assert.match(net.nft('list', 'ruleset'), /table inet filter/, 'and what the service loaded stays');
    net.nft('delete', 'table', 'inet', 'filter');
  });

  it('shows enforced 0 while the table is away', async () => {
    assert.deepEqual([t.responder.state().desired, t.responder.state().enforced], [2, 2]);
    net.nft('delete', 'table', 'inet', 'portcullis');
    await until(() => t.responder.state().enforced === 0);
    await until(() => t.responder.state().enforced === 2);
  });

  for (const [what, args] of [
    ['one of our chains is flushed', ['flush', 'chain', 'inet', 'portcullis', 'screen4']],
    ['the rules of a base chain are flushed', ['flush', 'chain', 'inet', 'portcullis', 'from_prerouting']],
    ['the table is made dormant', ['add table inet portcullis { flags dormant; }']],
    ['a set is emptied', ['flush', 'set', 'inet', 'portcullis', 'block4_32']],
    ['an element is deleted', ['delete', 'element', 'inet', 'portcullis', 'block4_32', `{ ${A} }`]],
    ['an accept rule is put first', ['insert', 'rule', 'inet', 'portcullis', 'screen4', 'accept']],
    ['the host is slipped into the allow set', ['add', 'element', 'inet', 'portcullis', 'allow4_32', `{ ${A} }`]],
  ] as const) {
    it(`blocks again when ${what}`, async () => {
      net.nft(...args);
      await until(() => t.incidents.some((i) => i.code === 'enforce.drift'));
      await until(() => t.responder.state().enforced === 2);
      assert.ok(await isBlocked());
    });
  }

  it('finds a missing element by sampling, when the notification was lost', async () => {
    await t.end();
    t = await startResponder(net.router, { on_stop: 'flush', truth_interval_ms: 10_000 });
    t.responder.decide(block(A));
    await t.responder.idle();
    await t.end();
    const blind = await startResponder(net.router, { on_stop: 'flush', element_path: 'nft' });
    blind.responder.decide(block(A));
    await blind.responder.idle();
    assert.equal(blind.responder.state().backend, 'nft');
    net.nft('delete', 'element', 'inet', 'portcullis', 'block4_32', `{ ${A} }`);
    await until(() => present('block4_32', A));
    assert.ok(await isBlocked());
    await blind.end();
    t = await startResponder(net.router, { on_stop: 'flush' });
  });

  it('does not take its own changes for those of others', async () => {
    for (let i = 1; i <= 200; i++) t.responder.decide(block(`198.18.0.${i}`));
    await t.responder.flush('test');
    t.responder.decide(block(B));
    await t.responder.setAllow([
      { id: 'n', value: '198.18.4.0/22', owner: 'o', comment: 'c', createdMs: 0, expiresMs: 0 },
    ]);
    await t.responder.idle();
    await new Promise((resolve) => setTimeout(resolve, 1300));
    assert.deepEqual(t.incidents, []);
  });

  it('holds its fire when another program keeps fighting for the table', async () => {
    for (let i = 0; i < 11; i++) {
      const healed = Number(t.responder.state().stats['decisions_rebuilds']);
      net.nft('delete', 'table', 'inet', 'portcullis');
      await until(() => Number(t.responder.state().stats['decisions_rebuilds']) > healed);
    }
    assert.ok(t.incidents.some((i) => i.code === 'enforce.contended' && i.severity === 'critical'));
  });
});
