import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { endOf, openReplica, type Replica } from '../../../src/fleet/replica.js';
import { idOf, type Statement } from '../../../src/fleet/seal.js';
import { aDecision, makeFleet } from './support.js';

const fleet = makeFleet({ box1: { role: 'box', site: 'hq' }, server1: { role: 'server', site: 'hq' } });
const root = mkdtempSync(join(tmpdir(), 'portcullis-replica-'));
after(() => rmSync(root, { recursive: true }));
const trust = fleet.trust('box1');

function block(version: number, id?: string): Statement {
  const decision = aDecision(id === undefined ? {} : { id });
  return {
    state: 'active',
    decision: fleet.sealer('box1').decision(decision, { issuer: 'box1', reach: 'all', version }),
  };
}
function lifted(id: string, version: number): Statement {
  const what = { id, actor: 'anna', reason: 'mistake', forgive: true, keepMs: Date.now() + 600_000 };
  return fleet.sealer('server1').release(what, { issuer: 'box1', reach: 'all', version });
}

test('the newest statement wins in any order, and a lifted block does not come back', async () => {
  const replica = await openReplica(join(root, 'order'), trust.refuseAll, Date.now());
  const one = block(1);
  assert.ok(one.state === 'active');
  const { id } = one.decision;
  assert.equal(replica.put(lifted(id, 5)), true);
  assert.equal(replica.put(one), false);
  assert.equal(replica.get('box1', id)?.state, 'released');
  replica.close();
});

test('what was known is known after a crash, but for a line that was cut off or changed', async () => {
  const dir = join(root, 'crash');
  const replica = await openReplica(dir, trust.refuseAll, Date.now());
  const [kept, changed] = [block(1), block(1)];
  assert.ok(kept.state === 'active' && changed.state === 'active');
  replica.put(kept);
  const file = join(dir, 'decisions.jsonl');
  appendFileSync(file, `${JSON.stringify({ ...changed, decision: { ...changed.decision, value: '192.0.2.99' } })}\n`);
  appendFileSync(file, JSON.stringify(block(1)).slice(0, 100));
  const again = await openReplica(dir, trust.refuseAll, Date.now());
  assert.deepEqual(
    [...again.values()].map((s) => (s.state === 'active' ? s.decision.id : '')),
    [kept.decision.id],
  );
  assert.deepEqual(again.get('box1', kept.decision.id), kept);
  again.close();
});

test('what is long over is forgotten, and the file does not grow for ever', async () => {
  const dir = join(root, 'expiry');
  const replica = await openReplica(dir, trust.refuseAll, Date.now());
  for (let i = 0; i < 6000; i++) replica.put(block(1));
  assert.equal(replica.size, 6000);
  assert.equal(replica.expire(Date.now() + 3_600_000).length, 6000);
  assert.equal(replica.size, 0);
  assert.equal(readFileSync(join(dir, 'decisions.jsonl'), 'utf8'), '');
  replica.close();
});

test('what has ended does not count again after a start, though the clock was set back; something newer about it does', async () => {
  const dir = join(root, 'ended');
  const startMs = Date.now();
  const atEnd = await openReplica(dir, trust.refuseAll, startMs);
  const [reported, forgotten, inForce] = [block(1), block(1), block(1)];
  for (const statement of [reported, forgotten, inForce]) atEnd.put(statement);
  atEnd.end('box1', idOf(reported), 1);
  atEnd.end('box1', idOf(inForce), 0);
  const idsOf = (r: Replica): string[] => [...r.values()].map(idOf);
  assert.deepEqual(idsOf(atEnd), [idOf(forgotten), idOf(inForce)]);
  assert.equal(atEnd.size, 2);
  atEnd.put(block(2, idOf(inForce)));
  assert.equal(atEnd.expire(endOf(forgotten) + 61_000).length, 3);
  atEnd.close();
  const back = await openReplica(dir, trust.refuseAll, startMs);
  assert.deepEqual(idsOf(back), [], 'the clock says that all of them go on');
  assert.equal(back.put(reported), false, 'heard of again, from the bus');
  assert.equal(back.put(block(3, idOf(reported))), true);
  assert.deepEqual(idsOf(back), [idOf(reported)]);
  back.close();
  const again = await openReplica(dir, trust.refuseAll, startMs);
  assert.deepEqual(idsOf(again), [idOf(reported)], 'what was written anew says the same');
  again.close();
});
