import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { openForwarder, siemOptionsSchema, type Forwarder } from '../../../src/forward/index.js';
import type { SiemEvent } from '../../../src/domain/siem-event.js';
import { silentLogger } from '../../../src/util/logger.js';
import { uuid7 } from '../../../src/util/uuid7.js';
import { ALERT, BLOCK } from './support/samples.js';

let dir = '';
let forwarder: Forwarder | undefined;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'receipts-'));
});
afterEach(async () => {
  await forwarder?.close(0);
  forwarder = undefined;
  rmSync(dir, { recursive: true, force: true });
});

const file = (name: string, change: object = {}) => ({
  name,
  preset: 'file',
  format: 'json',
  path: `${name}.json`,
  ...change,
});
const options = (destinations: object[], spool: object = {}) =>
  siemOptionsSchema.parse({ aggregate: { window: 0 }, destinations, spool });

async function open(destinations: object[], spool: object = {}): Promise<Forwarder> {
  const deps = { dataDir: dir, log: silentLogger, now: Date.now, hostName: 'fw1' };
  forwarder = await openForwarder(options(destinations, spool), deps);
  return forwarder;
}

async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
const settled = (f: Forwarder) => until('all is confirmed', () => f.status().every((s) => s.backlogEvents === 0));
const alert = (n: number, change: object = {}): SiemEvent => {
  const id = uuid7();
  return { ...ALERT, id, alertId: id, tsMs: Date.now(), signatureId: n, message: `#${n}#`, ...change };
};
const stored = (name: string): number[] =>
  [...readFileSync(join(dir, `${name}.json`), 'utf8').matchAll(/#(\d+)#/g)].map((m) => Number(m[1]));

describe('receipts', () => {
  it('say when and how each run of events was confirmed', async () => {
    const f = await open([file('a')]);
    for (let n = 0; n < 10; n++) f.push(alert(n));
    await settled(f);
    const receipts = f.receipts('a', 100);
    assert.equal(receipts.reduce((sum, r) => sum + r.events, 0), 10); // prettier-ignore
    assert.ok(receipts.every((r) => r.how === 'fdatasync' && !r.replay && r.rejected === 0));
    assert.throws(() => f.receipts('nobody', 1), /no SIEM destination "nobody"/);
  });

  it('answer for one alert or decision whether each destination has it', async () => {
    const f = await open([
      file('a'),
      file('picky', { filter: { kinds: ['decision'] } }),
      { name: 'down', preset: 'rsyslog', transport: { host: '127.0.0.1', port: 1 } },
    ]);
    const one = alert(1);
    const decision: SiemEvent = { ...BLOCK, id: uuid7(), alertIds: [one.id], decisionId: uuid7(), tsMs: Date.now() };
    f.push(one);
    f.push(decision);
    await until('a and picky have it', () => f.status().filter((s) => s.backlogEvents === 0).length === 2);
    const about = await f.deliveries(one.id);
    assert.deepEqual(
      about.map((e) => e.event.kind).sort(),
      ['alert', 'decision'],
      'the alert, and the decision that names it',
    );
    const states = Object.fromEntries(
      about.map((e) => [e.event.kind, Object.fromEntries(e.deliveries.map((d) => [d.destination, d.state]))]),
    );
    assert.deepEqual(states, {
      alert: { a: 'confirmed', picky: 'filtered', down: 'waiting' },
      decision: { a: 'confirmed', picky: 'confirmed', down: 'waiting' },
    });
    assert.ok(about[0]!.deliveries[0]!.confirmedMs! >= one.tsMs);
    assert.equal((await f.deliveries(decision.decisionId)).length, 1);
    assert.deepEqual(await f.deliveries('019b7c1e-0000-7000-8000-00000000dead'), []);
  });

  it('of events that the rate limit dropped or that are older than the destination say that, not "confirmed"', async () => {
    const f = await open([file('a'), file('slow', { rate_limit: { per_second: 0.001, burst: 1, over: 'drop' } })]);
    const events = [alert(1), alert(2), alert(3)];
    for (const event of events) f.push(event);
    await settled(f);
    const state = async (event: SiemEvent, name: string) =>
      (await f.deliveries(event.id))[0]?.deliveries.find((d) => d.destination === name)?.state;
    assert.equal(await state(events[0]!, 'slow'), 'confirmed');
    assert.equal(await state(events[2]!, 'slow'), 'dropped');
    await f.reconfigure(options([file('a'), file('late')]));
    assert.equal(await state(events[0]!, 'late'), 'unsent');
    assert.equal(await state(events[0]!, 'a'), 'confirmed');
  });

  it('survive a restart as far as they are sure', async () => {
    const slow = file('slow', { rate_limit: { per_second: 0.001, burst: 1, over: 'drop' } });
    let f = await open([slow]);
    const events = [alert(1), alert(2), alert(3)];
    for (const event of events) f.push(event);
    await settled(f);
    await until('the gap is told', () => f.status()[0]!.dropped === 2 && f.stats().spooled >= 4);
    await f.close(1000);
    f = await open([slow]);
    const later = (await f.deliveries(events[2]!.id))[0]?.deliveries[0];
    assert.equal(later?.state, 'unknown', 'a gap of that time may have been it');
  });
});

describe('gaps and replay', () => {
  it('a gap says what was lost and when, and a replay sends it again with the same ids', async () => {
    const f = await open([file('slow', { rate_limit: { per_second: 0.001, burst: 5, over: 'drop' } })]);
    const fromMs = Date.now();
    for (let n = 0; n < 20; n++) f.push(alert(n));
    await settled(f);
    await until('the gap is told', () => f.stats().spooled >= 21);
    const [gap] = await f.gaps('slow', 10);
    assert.equal(gap?.dropped, 15);
    assert.equal(gap.cause, 'rate_limit');
    assert.ok(gap.fromMs >= fromMs && gap.replayable >= 15, JSON.stringify(gap));
    const replay = await f.replay('slow', gap.fromMs, gap.toMs);
    await assert.rejects(f.replay('slow', gap.fromMs, gap.toMs), /is running/);
    await until('the replay is done', () => f.lastReplay('slow')?.state === 'done');
    assert.equal(f.lastReplay('slow')?.confirmed, replay.events);
    assert.deepEqual(
      [...new Set(stored('slow'))].sort((a, b) => a - b),
      Array.from({ length: 20 }, (_, n) => n),
    );
    assert.ok(f.receipts('slow', 10).some((r) => r.replay && r.events === replay.events));
    await assert.rejects(f.replay('slow', 1, 2), /holds no events of that time/);
  });

  it('confirmed events stay for a replay within their limits and no longer', async () => {
    const f = await open([file('a')], { segment_bytes: 20_000, keep_confirmed_bytes: 60_000 });
    for (let n = 0; n < 500; n++) {
      f.push(alert(n));
      if (n % 20 === 0) await until('it is written', () => f.stats().spoolPending === 0);
    }
    await settled(f);
    await until('old segments are gone', () => f.stats().spoolBytes < 60_000 + 2 * 20_000 + 10_000);
    assert.ok(f.stats().spoolBytes > 30_000, 'but not all of them');
    const replay = await f.replay('a', 0, Date.now());
    assert.ok(replay.events > 20 && replay.events < 400, String(replay.events));
  });

  it('a replay to a receiver that is away fails with the reason and disturbs nothing', async () => {
    const f = await open([file('a'), { name: 'down', preset: 'webhook', url: 'http://127.0.0.1:1/' }]);
    f.push(alert(1));
    await until('a has it', () => f.status()[0]!.backlogEvents === 0);
    await f.replay('down', 0, Date.now());
    await until('it gave up', () => f.lastReplay('down')?.state === 'failed');
    assert.match(f.lastReplay('down')!.error, /ECONNREFUSED/);
    assert.ok(f.status().find((s) => s.name === 'down')!.backlogEvents >= 1, 'still waiting, in its usual place');
  });
});

describe('reconfiguration while running', () => {
  it('names what it did, keeps unchanged destinations undisturbed, and loses nothing that was spooled', async () => {
    const f = await open([file('a'), file('b'), file('c')]);
    f.push(alert(1));
    await settled(f);
    const before = f.status().find((s) => s.name === 'a')?.confirmed;
    const result = await f.reconfigure(options([file('a'), file('b', { format: 'cef' }), file('d')]));
    assert.deepEqual(result, { added: ['d'], changed: ['b'], removed: ['c'], unchanged: ['a'] });
    assert.equal(f.status().find((s) => s.name === 'a')?.confirmed, before);
    f.push(alert(2));
    await settled(f);
    assert.deepEqual([stored('a'), stored('c'), stored('d')], [[1, 2], [1], [2]]);
    assert.match(readFileSync(join(dir, 'b.json'), 'utf8').split('\n')[1] ?? '', /^CEF:0/);
  });

  it('with any problem changes nothing and says all problems with their fixes', async () => {
    const f = await open([file('a')]);
    const wrong = options([
      { name: 'x', preset: 'rsyslog' },
      { name: 'x', preset: 'elastic', format: 'leef', url: 'http://h' },
    ]);
    await assert.rejects(f.reconfigure(wrong), (error: Error & { fix?: string }) => {
      assert.match(error.message, /No receiver is given/);
      assert.match(error.message, /used twice/);
      assert.match(error.message, /does not read leef/);
      assert.match(error.fix ?? '', /Use one of: ecs/);
      return true;
    });
    assert.deepEqual(f.status().map((s) => s.name), ['a']); // prettier-ignore
    f.push(alert(1));
    await settled(f);
    assert.deepEqual(stored('a'), [1]);
  });
});
