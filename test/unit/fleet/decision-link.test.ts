import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { FleetBus, Session } from '../../../src/fleet/bus.js';
import { createDecisionLink } from '../../../src/fleet/decision-link.js';
import type { Member } from '../../../src/fleet/member.js';
import { openReplica } from '../../../src/fleet/replica.js';
import { silentLogger } from '../../../src/util/logger.js';
import { aDecision, makeFleet } from './support.js';

type Listener = (error: null, msg: { string(): string }) => void;

test('with a new roster the whole list is read again when something was refused, and only then', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-link-'));
  const fleet = makeFleet({ box1: { role: 'box', site: 'hq' }, late: { role: 'box', site: 'hq' } });
  const trust = fleet.trust('box1');
  trust.offer(fleet.roster(2, fleet.members.slice(0, 1)));
  const replica = await openReplica(dir, trust.refuseAll, Date.now());
  const ended = new AbortController();
  const watch = { begun: 0, ended: 0 };
  const listeners = new Map<string, Listener>();
  const session = {
    nc: {
      publish: () => undefined,
      subscribe(subject: string, { callback }: { callback: Listener }) {
        listeners.set(subject, callback);
        return { unsubscribe: () => watch.ended++ };
      },
    },
    jsm: {
      consumers: {
        add: () => Promise.resolve({ num_pending: 0, delivered: { consumer_seq: watch.begun++ } }),
        delete: () => Promise.resolve(true),
      },
    },
    bucket: () => Promise.resolve({}),
    inboxPrefix: '_INBOX',
    signal: ended.signal,
  } as unknown as Session;
  const bus = { session: () => session, onSession: (run: (s: Session) => void) => run(session) } as FleetBus;
  const refused: string[] = [];
  const link = createDecisionLink({
    member: { name: 'box1', role: 'box', trust } as Member,
    ...{ bus, replica, log: silentLogger, take: () => undefined },
    refused: (_, why) => void refused.push(why),
  });
  t.after(() => {
    ended.abort();
    link.close();
    replica.close();
    rmSync(dir, { recursive: true });
  });
  await setImmediate();
  assert.deepEqual(watch, { begun: 1, ended: 0 });
  link.again();
  await setImmediate();
  assert.deepEqual(watch, { begun: 1, ended: 0 }, 'nothing was refused: nothing could count now');

  const claim = { issuer: 'late', reach: 'all', version: Date.now() };
  const said = { state: 'active', decision: fleet.sealer('late').decision(aDecision(), claim) };
  listeners.get('portcullis.say.*')?.(null, { string: () => JSON.stringify(said) });
  assert.deepEqual(refused, ['"late" is not a member of the fleet']);
  link.again();
  await setImmediate();
  assert.equal(watch.ended, 1);
});
