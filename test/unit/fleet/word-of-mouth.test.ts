import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import type { FleetBus, Session } from '../../../src/fleet/bus.js';
import type { Member } from '../../../src/fleet/member.js';
import { openReplica } from '../../../src/fleet/replica.js';
import { createWordOfMouth } from '../../../src/fleet/word-of-mouth.js';

test('a member that nobody answers, as on a NATS server without its neighbours, asks again until somebody does', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-mouth-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const replica = await openReplica(dir, () => Promise.resolve([]), Date.now());
  const asked: string[] = [];
  const heard: string[] = [];
  const listeners = new Map<string, (error: null, msg: { string(): string }) => void>();
  const nc = {
    publish: (subject: string) => void (subject.includes('ask') && asked.push(subject)),
    subscribe: (subject: string, { callback }: { callback: (error: null, msg: { string(): string }) => void }) =>
      void listeners.set(subject, callback),
    flush: () => Promise.resolve(),
  };
  const session = { nc, signal: new AbortController().signal } as unknown as Session;
  const bus = { session: () => session, onSession: (run: (s: Session) => void) => run(session) } as FleetBus;
  const member = { name: 'box1', role: 'box' } as Member;
  const mouth = createWordOfMouth({ member, bus, replica, pending: () => [], hear: (text) => heard.push(text) });
  assert.equal(asked.length, 1);
  t.mock.timers.tick(1000);
  t.mock.timers.tick(1000);
  assert.equal(asked.length, 3);
  listeners.get('portcullis.tell.box1')?.(null, { string: () => '' });
  t.mock.timers.tick(1000);
  assert.equal(asked.length, 3, 'it was answered: there is nothing');
  assert.deepEqual(heard, []);
  mouth.close();
  replica.close();
});
