import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { hostBaselineSchema, HOURS_OF_WEEK, type HostBaseline } from '../../../src/contract/baseline.js';
import { openBaselineBook } from '../../../src/daemons/server/baselines.js';
import { silentLogger } from '../../../src/util/logger.js';

const DAY_MS = 86_400_000;

function baseline(host: string, lastMs = 5 * DAY_MS): HostBaseline {
  const sentBytes = new Array<number>(HOURS_OF_WEEK).fill(0).with(74, 1e9);
  return hostBaselineSchema.parse({
    host,
    firstMs: 0,
    lastMs,
    volumes: [{ proto: 0, port: 0, sentBytes, weeks: new Array<number>(HOURS_OF_WEEK).fill(1) }],
    peers: [{ address: '10.0.0.7', port: 22, proto: 6, days: 4, lastMs }],
  });
}

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-baselines-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

const open = (dir: string, maxHosts = 100, nowMs = 6 * DAY_MS) =>
  openBaselineBook({ dir, learnDays: 7, maxHosts }, silentLogger, () => nowMs);

test('baselines outlive a restart and go back to the sensor that learned them, a few hosts a message', (t) => {
  const dir = folder(t);
  const book = open(dir);
  book.update(
    'edge',
    Array.from({ length: 20 }, (_, i) => baseline(`10.0.1.${i}`)),
  );
  book.update('branch', [baseline('10.0.2.1')]);
  book.save();
  const again = open(dir);
  const messages = again.restore('edge');
  assert.equal(messages.length, 3);
  const hosts = messages.flatMap((m) => (m.type === 'baselines' ? m.hosts : []));
  assert.equal(hosts.length, 20);
  assert.deepEqual(hosts[0], baseline('10.0.1.0'));
  assert.equal(again.restore('unheard of').length, 0);
});

test('the list tells how far learning has come, and pages', (t) => {
  const book = open(folder(t));
  book.update('edge', [baseline('10.0.1.1', 4 * DAY_MS), baseline('10.0.1.2', 5 * DAY_MS), baseline('10.9.9.9')]);
  const first = book.list({ limit: 1, q: '10.0.1' });
  assert.equal(first.items[0]!.host, '10.0.1.2');
  assert.equal(first.items[0]!.isLearning, true);
  assert.equal(first.items[0]!.learnedMs, 7 * DAY_MS);
  assert.equal(first.items[0]!.peakSentBytes, 1e9);
  const second = book.list({ limit: 1, q: '10.0.1', cursor: first.nextCursor! });
  assert.deepEqual([second.items[0]!.host, second.nextCursor], ['10.0.1.1', null]);
  assert.equal(book.get('10.9.9.9')!.peers[0]!.port, 22);
  assert.equal(book.get('10.9.9.10'), undefined);
});

test('learning ends with the learning time', (t) => {
  const book = open(folder(t), 100, 8 * DAY_MS);
  book.update('edge', [baseline('10.0.1.1')]);
  assert.equal(book.get('10.0.1.1')!.isLearning, false);
});

test('a forgotten host is gone from memory and file, and its sensors are told', (t) => {
  const dir = folder(t);
  const book = open(dir);
  book.update('edge', [baseline('10.0.1.1'), baseline('10.0.1.2')]);
  assert.deepEqual(book.forget('10.0.1.1'), ['edge']);
  assert.deepEqual(book.forget('10.0.1.1'), []);
  book.save();
  assert.deepEqual(
    open(dir)
      .list({ limit: 10 })
      .items.map((b) => b.host),
    ['10.0.1.2'],
  );
});

test('hosts are bounded, the longest unseen goes; names of sensors make no paths; a broken file is begun anew', (t) => {
  const dir = folder(t);
  const book = open(dir, 2);
  book.update('../../evil', [baseline('10.0.1.1', 3), baseline('10.0.1.2', 1), baseline('10.0.1.3', 2)]);
  assert.deepEqual(
    book.list({ limit: 10 }).items.map((b) => b.host),
    ['10.0.1.1', '10.0.1.3'],
  );
  book.save();
  assert.deepEqual(readdirSync(dir), ['..%2F..%2Fevil.json']);
  writeFileSync(join(dir, '..%2F..%2Fevil.json'), '{"sensor":');
  assert.equal(open(dir).list({ limit: 10 }).items.length, 0);
});
