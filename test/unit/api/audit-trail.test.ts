import assert from 'node:assert/strict';
import test from 'node:test';
import { createAuditTrail } from '../../../src/api/audit-trail.js';
import type { AuditInput, AuditRecord } from '../../../src/store/index.js';
import { AppError } from '../../../src/util/errors.js';
import type { Logger } from '../../../src/util/logger.js';

const input = (object: string): AuditInput => ({
  ...{ actor: 'anna', address: '192.0.2.1', action: 'decision.add', object, outcome: 'success' },
});

function setup() {
  const written: [string, number][] = [];
  const told: string[] = [];
  const logged: unknown[] = [];
  const state = { nowMs: 1000, failure: undefined as Error | undefined };
  const trail = createAuditTrail({
    audit: {
      append({ object }, atMs = 0) {
        if (state.failure) return Promise.reject(state.failure);
        written.push([object, atMs]);
        return Promise.resolve({ object } as AuditRecord);
      },
    },
    told: ({ object }) => void told.push(object),
    log: { error: ({ audit }: { audit: AuditInput }) => logged.push(audit.object) } as unknown as Logger,
    now: () => state.nowMs,
    retryMs: 1,
  });
  return { trail, state, written, told, logged };
}

const full = new AppError({ kind: 'operational', code: 'store.full', message: 'The disk is full.' });

test('what was done while the database cannot be written is in the trail later, in order, with its own time', async () => {
  const { trail, state, written, told, logged } = setup();
  state.failure = full;
  await trail.append(input('one'));
  state.nowMs = 2000;
  await trail.append(input('two'));
  assert.deepEqual([written, told, logged], [[], [], ['one', 'two']]);
  state.failure = undefined;
  state.nowMs = 3000;
  await trail.append(input('three'));
  assert.deepEqual(written, [['one', 1000], ['two', 2000], ['three', 3000]]); // prettier-ignore
  assert.deepEqual(told, ['one', 'two', 'three']);
  trail.close();
});

test('it is written without a further request, when the database can be written again', async () => {
  const { trail, state, written } = setup();
  state.failure = full;
  await trail.append(input('one'));
  const keepsAlive = setInterval(() => undefined, 1000);
  state.failure = undefined;
  while (written.length === 0) await new Promise(setImmediate);
  clearInterval(keepsAlive);
  assert.deepEqual(written, [['one', 1000]]);
  trail.close();
});

test('a request fails when too many wait, and for what is no matter of the database', async () => {
  const { trail, state, written } = setup();
  state.failure = new Error('a bug');
  await assert.rejects(trail.append(input('bad')), /a bug/);
  state.failure = full;
  for (let i = 0; i < 1000; i++) await trail.append(input(String(i)));
  await assert.rejects(trail.append(input('one too many')), /full/);
  state.failure = undefined;
  await trail.append(input('last'));
  assert.equal(written.length, 1001);
  assert.ok(!written.some(([object]) => object === 'one too many' || object === 'bad'));
  trail.close();
});
