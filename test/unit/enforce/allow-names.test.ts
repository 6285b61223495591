import assert from 'node:assert/strict';
import test from 'node:test';
import type { AllowEntry } from '../../../src/domain/decision.js';
import { AllowNames } from '../../../src/enforce/index.js';
import { silentLogger } from '../../../src/util/logger.js';

const HOUR_MS = 3_600_000;

function entry(value: string): AllowEntry {
  return { id: value, value, owner: 'ada', comment: 'home', createdMs: 0, expiresMs: 0 };
}

function setup() {
  const dns = new Map<string, string[]>();
  const clock = { ms: 0 };
  let allowed: string[] = [];
  const told: string[] = [];
  const tell = (_fields: object, message: string): void => void told.push(message);
  const names = new AllowNames({
    log: { ...silentLogger, warn: tell, info: tell },
    nowMs: () => clock.ms,
    resolve: (name) => {
      const found = dns.get(name);
      return found ? Promise.resolve(found) : Promise.reject(new Error('SERVFAIL'));
    },
    onResolved: (entries) => (allowed = entries.map((e) => e.value)),
  });
  return { dns, clock, names, told, allowed: () => [...allowed].sort() };
}

test('addresses and prefixes are allowed before any name is resolved', () => {
  const t = setup();
  void t.names.set([entry('203.0.113.0/24'), entry('home.example.net')]);
  assert.deepEqual(t.allowed(), ['203.0.113.0/24']);
  t.names.stop();
});

test('an address that vanished from DNS stays for an hour, and then goes', async () => {
  const t = setup();
  t.dns.set('home.example.net', ['203.0.113.1']);
  await t.names.set([entry('home.example.net')]);
  t.dns.set('home.example.net', ['203.0.113.2', '::ffff:203.0.113.3']);
  t.clock.ms = HOUR_MS / 2;
  await t.names.refresh();
  assert.deepEqual(t.allowed(), ['203.0.113.1', '203.0.113.2', '203.0.113.3']);
  t.clock.ms = HOUR_MS + 1;
  await t.names.refresh();
  assert.deepEqual(t.allowed(), ['203.0.113.2', '203.0.113.3']);
  t.names.stop();
});

test('while the resolver fails a name keeps its addresses, however long', async () => {
  const t = setup();
  t.dns.set('home.example.net', ['203.0.113.1']);
  await t.names.set([entry('home.example.net')]);
  t.dns.clear();
  t.clock.ms = 100 * HOUR_MS;
  for (let i = 0; i < 5; i++) await t.names.refresh();
  assert.deepEqual(t.allowed(), ['203.0.113.1']);
  const failed = 'a name cannot be resolved; it keeps its addresses';
  assert.deepEqual(t.told, [failed], 'told once, not every minute');
  t.dns.set('home.example.net', ['203.0.113.1']);
  await t.names.refresh();
  t.dns.clear();
  await t.names.refresh();
  assert.deepEqual(t.told, [failed, 'a name can be resolved again', failed]);
  t.names.stop();
});

test('a name that could not be resolved at first is asked for again soon, each time after twice as long', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  const { dns, names, allowed } = setup();
  const after = async (ms: number): Promise<string[]> => {
    t.mock.timers.tick(ms);
    await new Promise((resolve) => setImmediate(resolve));
    return allowed();
  };
  await names.set([entry('home.example.net')]);
  assert.deepEqual(await after(1000), []);
  dns.set('home.example.net', ['203.0.113.1']);
  assert.deepEqual(await after(1999), [], 'not yet');
  assert.deepEqual(await after(1), ['203.0.113.1']);
  names.stop();
});

test('a start without a resolver allows what the run before knew, and only names still on the list', async () => {
  const t = setup();
  t.names.seed({ 'home.example.net': ['203.0.113.1'], 'gone.example.net': ['203.0.113.2'] });
  await t.names.set([entry('home.example.net')]);
  assert.deepEqual(t.allowed(), ['203.0.113.1']);
  assert.deepEqual(t.names.known(), { 'home.example.net': ['203.0.113.1'] });
  t.names.stop();
});

test('a name with endless addresses fills nothing: the longest unseen are forgotten', async () => {
  const t = setup();
  for (let round = 0; round < 5; round++) {
    t.dns.set(
      'cdn.example.net',
      Array.from({ length: 30 }, (_, i) => `198.51.${round}.${i}`),
    );
    t.clock.ms = round * 1000;
    await (round === 0 ? t.names.set([entry('cdn.example.net')]) : t.names.refresh());
  }
  assert.equal(t.allowed().length, 64);
  assert.ok(t.allowed().includes('198.51.4.0') && !t.allowed().includes('198.51.0.0'));
  t.names.stop();
});

test('removing the entry takes its addresses away at once', async () => {
  const t = setup();
  t.dns.set('home.example.net', ['203.0.113.1']);
  await t.names.set([entry('home.example.net')]);
  await t.names.set([]);
  assert.deepEqual(t.allowed(), []);
});
