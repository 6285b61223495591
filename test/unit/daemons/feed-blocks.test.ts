import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFeedBlocks } from '../../../src/daemons/server/feed-blocks.js';
import type { Decision } from '../../../src/domain/decision.js';
import { cidrContains, parseCidr } from '../../../src/util/ip.js';

const HOUR = 3_600_000;
const signal = new AbortController().signal;

function bench(kept = '192.0.2.0/24') {
  const active = new Map<string, Decision>();
  const log: string[] = [];
  let now = 1_700_000_000_000;
  const blocks = createFeedBlocks({
    book: {
      add: (decision) => void active.set(decision.id, decision),
      release(id, actor, reason) {
        log.push(`${active.get(id)?.value} ${actor}: ${reason}`);
        active.delete(id);
        return undefined;
      },
      extend(id, durationSecs) {
        const decision = active.get(id);
        if (decision) decision.expiresMs = now + durationSecs * 1000;
        log.push(`${decision?.value} extended`);
        return decision;
      },
      replace(id, by) {
        log.push(`${active.get(id)?.value} replaced`);
        assert.ok(active.has(by), 'never without a block');
        active.delete(id);
      },
      active: () => [...active.values()],
    },
    exemptions: {
      findProtected: (network) =>
        cidrContains(parseCidr(kept)!, network)
          ? ({ value: kept, reason: 'gateway', detail: '', expiresMs: 0 } as never)
          : undefined,
      findAllowed: () => undefined,
    },
    mode: () => 'enforce',
    pausedUntilMs: () => 0,
    longestSecs: 30 * 86_400,
    now: () => now,
  });
  return { blocks, active, log, pass: (ms: number) => (now += ms) };
}

const want = (...values: string[]) => values.map((value) => ({ value, validUntilMs: 0, label: 'botnet' }));

test('a feed’s blocks follow its list: what is new is added, what is gone is released, the rest stays', async () => {
  const b = bench();
  assert.deepEqual(await b.blocks.apply('a', want('203.0.113.1', '198.51.100.0/24'), HOUR, signal), {
    added: 2,
    released: 0,
    exempt: 0,
  });
  const scopes = [...b.active.values()].map((d) => [d.value, d.scope, d.origin, d.actor, d.simulated]);
  assert.deepEqual(scopes, [
    ['203.0.113.1', 'ip', 'feed', 'a', false],
    ['198.51.100.0/24', 'cidr', 'feed', 'a', false],
  ]);
  assert.deepEqual(await b.blocks.apply('a', want('203.0.113.1', '203.0.113.2'), HOUR, signal), {
    added: 1,
    released: 1,
    exempt: 0,
  });
  assert.deepEqual(b.log, ['198.51.100.0/24 feed:a: a no longer lists it']);
  assert.equal(b.blocks.count('a'), 2);
});

test('protected addresses are never blocked, and another feed’s blocks are left alone', async () => {
  const b = bench();
  await b.blocks.apply('b', want('203.0.113.9'), HOUR, signal);
  const change = await b.blocks.apply('a', want('192.0.2.1', '203.0.113.1', '203.0.113.1'), HOUR, signal);
  assert.deepEqual(change, { added: 1, released: 0, exempt: 1 });
  await b.blocks.apply('a', [], HOUR, signal);
  assert.deepEqual(
    [...b.active.values()].map((d) => d.value),
    ['203.0.113.9'],
  );
});

test('blocks last a day beyond the last refresh and are extended when half of that is over', async () => {
  const b = bench();
  await b.blocks.apply('a', want('203.0.113.1'), HOUR, signal);
  const [first] = b.active.values();
  assert.equal(first?.durationSecs, 86_400);
  b.pass(HOUR);
  await b.blocks.apply('a', want('203.0.113.1'), HOUR, signal);
  assert.deepEqual(b.log, []);
  b.pass(13 * HOUR);
  await b.blocks.apply('a', want('203.0.113.1'), HOUR, signal);
  assert.deepEqual(b.log, ['203.0.113.1 extended']);
});

test('what stays listed for months is never extended beyond what one decision may last: another takes its place', async () => {
  const b = bench();
  for (let hours = 0; hours < 90 * 24; hours++) {
    await b.blocks.apply('a', want('203.0.113.1'), HOUR, signal);
    const [only, ...more] = b.active.values();
    assert.ok(only && more.length === 0 && only.expiresMs - only.createdMs <= 30 * 86_400_000);
    b.pass(HOUR);
  }
  assert.ok(b.log.filter((line) => line.endsWith('replaced')).length >= 3);
});

test('an indicator that ends sooner ends its block sooner', async () => {
  const b = bench();
  const validUntilMs = 1_700_000_000_000 + 600_000;
  await b.blocks.apply('a', [{ value: '203.0.113.1', validUntilMs, label: 'x' }], HOUR, signal);
  const [first] = b.active.values();
  assert.equal(first?.durationSecs, 600);
});
