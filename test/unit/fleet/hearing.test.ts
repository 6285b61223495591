import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import test from 'node:test';
import { createHearing } from '../../../src/fleet/hearing.js';
import { idOf, type Statement } from '../../../src/fleet/seal.js';
import { silentLogger } from '../../../src/util/logger.js';
import { waitFor } from '../../lab/wait.js';
import { aDecision, makeFleet } from './support.js';

const fleet = makeFleet({ box1: { role: 'box', site: 'hq' }, box2: { role: 'box', site: 'hq' } });
const claim = { issuer: 'box1', reach: 'all', version: 1 };
const said = (): Statement => ({ state: 'active', decision: fleet.sealer('box1').decision(aDecision(), claim) });
const forged = (): Statement => ({ state: 'active', decision: fleet.stranger('box1').decision(aDecision(), claim) });

function open() {
  const known = new Set<string>();
  const refused: string[] = [];
  const trust = fleet.trust('box2');
  let aside = 0;
  const hearing = createHearing({
    trust: {
      refuse: (statement) => trust.refuse(statement),
      refuseAll(statements) {
        aside += statements.length;
        return trust.refuseAll(statements);
      },
    },
    log: silentLogger,
    isNews: (statement) => !known.has(idOf(statement)),
    judged({ statement }, why) {
      if (why === undefined) known.add(idOf(statement));
      else refused.push(why);
    },
  });
  const hear = (statement: Statement): void => hearing.hear({ statement, isFresh: true });
  return { hear, hearing, known, refused, aside: () => aside };
}

test('one counts at once, in the turn in which it came', () => {
  const { hear, known, aside } = open();
  hear(said());
  assert.equal(known.size, 1);
  assert.equal(aside(), 0);
});

test('of many, which other threads check, those that are signed count, each once, and the forged ones do not', async () => {
  const { hear, known, refused, aside } = open();
  const good = Array.from({ length: 300 }, said);
  const bad = Array.from({ length: 5 }, forged);
  for (const statement of [...good, ...bad, ...good]) hear(statement);
  await waitFor('all are judged', () => known.size + refused.length >= 305);
  assert.equal(known.size, 300);
  assert.equal(refused.length, 5);
  assert.match(refused[0] ?? '', /signature is not that of box1/);
  assert.ok(aside() >= 300 && aside() < 600, `${aside()}: most second copies are known by then`);
});

test('what waits when it is closed is not judged', async () => {
  const { hear, hearing, known } = open();
  for (let i = 0; i < 50; i++) hear(said());
  const before = known.size;
  hearing.close();
  for (let i = 0; i < 20; i++) await turn();
  assert.equal(known.size, before);
});

test('a roster that changes while signatures are checked has the last word', async () => {
  const trust = fleet.trust('box2');
  const judging = trust.refuseAll([said(), said()]);
  trust.offer(
    fleet.roster(
      2,
      fleet.members.filter((m) => m.name !== 'box1'),
    ),
  );
  assert.deepEqual(await judging, ['"box1" is not a member of the fleet', '"box1" is not a member of the fleet']);
});
