import assert from 'node:assert/strict';
import test from 'node:test';
import type { FleetBus, Session } from '../../../src/fleet/bus.js';
import { createLeases } from '../../../src/fleet/leases.js';
import { silentLogger } from '../../../src/util/logger.js';
import { waitFor } from '../../lab/wait.js';

/** A bucket with compare-and-set, whose watch says nothing: what a server knows is what it was answered. */
function makeBucket() {
  const held = new Map<string, { owner: string; seq: number }>();
  let seq = 0;
  let renewed = 0;
  const write = (key: string, owner: string, expected: number): Promise<number> => {
    if ((held.get(key)?.seq ?? 0) !== expected) return Promise.reject(new Error('wrong last sequence'));
    held.set(key, { owner, seq: ++seq });
    renewed++;
    return Promise.resolve(seq);
  };
  const ended = new AbortController();
  const kv = {
    create: (key: string, owner: string) => write(key, owner, 0),
    update: (key: string, owner: string, expected: number) => write(key, owner, expected),
    delete: (key: string) => Promise.resolve(held.delete(key)),
  };
  const session = {
    signal: ended.signal,
    inboxPrefix: '_INBOX_server1',
    bucket: () => Promise.resolve(kv),
    nc: { subscribe: () => ({ unsubscribe: () => undefined }) },
    jsm: {
      consumers: {
        add: () => Promise.resolve({ num_pending: 0, delivered: { consumer_seq: 0 } }),
        delete: () => Promise.resolve(true),
      },
      streams: {
        getMessage(_stream: string, { last_by_subj }: { last_by_subj: string }) {
          const found = held.get(last_by_subj.slice(last_by_subj.lastIndexOf('.') + 1));
          return Promise.resolve(found ? { seq: found.seq, string: () => found.owner } : null);
        },
      },
    },
  } as unknown as Session;
  const bus = { onSession: (run: (s: Session) => void) => run(session) } as unknown as FleetBus;
  return { held, bus, renewed: () => renewed, end: () => ended.abort() };
}

test('a lease goes on when the cluster has gone back behind what was seen, and another server’s is left alone', async (t) => {
  const bucket = makeBucket();
  const changes: string[] = [];
  const leases = createLeases({
    ...{ name: 'server1', bus: bucket.bus, log: silentLogger },
    changed: (key, held) => void changes.push(`${key} ${held}`),
  });
  t.after(() => {
    bucket.end();
    return leases.close();
  });
  leases.want(['mine', 'theirs']);
  await waitFor('both are held', () => leases.holds('mine') && leases.holds('theirs'));
  // A leader that never had the last writes: one of them is older, the other was taken by another server.
  bucket.held.set('mine', { owner: 'server1', seq: 1000 });
  bucket.held.set('theirs', { owner: 'server2', seq: 1001 });
  const before = bucket.renewed();
  await waitFor('it is renewed', () => bucket.renewed() >= before + 2);
  assert.equal(leases.holds('mine'), true);
  await waitFor('the other is given up', () => !leases.holds('theirs'));
  assert.equal(bucket.held.get('theirs')?.owner, 'server2');
  assert.deepEqual(changes, ['mine true', 'theirs true', 'theirs false']);
});
