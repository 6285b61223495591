import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import test, { after } from 'node:test';
import { openSpool } from '../../../src/fleet/spool.js';

const root = mkdtempSync(join(tmpdir(), 'portcullis-fleet-spool-'));
after(() => rmSync(root, { recursive: true }));

test('lines come out in order, again after a rewind, and not again once they are confirmed', async () => {
  const spool = openSpool(join(root, 'order'), 1 << 20);
  for (let i = 0; i < 10; i++) spool.append(`line ${i}`);
  await turn();
  assert.deepEqual(spool.read(3), ['line 0', 'line 1', 'line 2']);
  spool.confirm();
  assert.deepEqual(spool.read(2), ['line 3', 'line 4']);
  spool.rewind();
  assert.deepEqual(spool.read(2), ['line 3', 'line 4']);
  assert.equal(spool.stats().waiting, 7, 'what is read is not confirmed');
  spool.close();
});

test('what was not confirmed is there after a crash, a line that was cut off is not', async () => {
  const dir = join(root, 'crash');
  const spool = openSpool(dir, 1 << 20);
  for (let i = 0; i < 5; i++) spool.append(`line ${i}`);
  await turn();
  spool.read(2);
  spool.confirm();
  spool.close();
  const [file = ''] = readdirSync(dir).filter((name) => name.endsWith('.jsonl'));
  appendFileSync(join(dir, file), 'half a li');
  const again = openSpool(dir, 1 << 20);
  assert.equal(again.stats().waiting, 3);
  again.append('line 5');
  await turn();
  const lines: string[] = [];
  for (let got = again.read(10); got.length > 0; got = again.read(10)) lines.push(...got);
  assert.deepEqual(lines, ['line 2', 'line 3', 'line 4', 'line 5']);
  again.confirm();
  assert.equal(again.stats().waiting, 0);
  again.close();
});

test('a full spool drops its oldest lines and counts each of them', async () => {
  const spool = openSpool(join(root, 'full'), 1 << 20);
  const text = 'x'.repeat(1000);
  for (let i = 0; i < 5000; i++) {
    spool.append(`${i} ${text}`);
    if (i % 50 === 0) await turn();
  }
  await turn();
  const { waiting, dropped, bytes } = spool.stats();
  assert.ok(dropped > 0 && bytes <= (1 << 20) + 70_000, `${bytes} bytes`);
  assert.equal(waiting + dropped, 5000);
  const [first = ''] = spool.read(1);
  assert.equal(first.split(' ')[0], String(dropped));
  spool.close();
});
