import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ScoredFlow } from '../../../src/contract/ipc.js';
import type { ModelCard } from '../../../src/contract/model-card.js';
import { createDriftWatch } from '../../../src/daemons/server/training-drift.js';
import { addShadow, emptyShadow, shadowVerdict } from '../../../src/daemons/server/training-shadow.js';
import type { TrainingReport } from '../../../src/contract/http.js';
import { trainingOptionsSchema } from '../../../src/train/index.js';
import { baseline } from '../../../src/train/evaluate/drift.js';
import { createRandom } from '../../../src/train/random.js';

const random = createRandom(1);
const normal = Array.from({ length: 20_000 }, () => random.normal());
const card = {
  name: 'guard',
  id: '0123456789abcdef',
  schema: {
    name: 'flow',
    features: Array.from({ length: 10 }, (_, i) => ({ name: `f${i}`, drift: baseline(normal) })),
  },
  scoreDrift: baseline(normal),
} as unknown as ModelCard;

/** Live flows whose first `moved` features, and whose score, are shifted. */
function flows(n: number, moved: number, scoreShift: number): ScoredFlow[] {
  return Array.from({ length: n }, (_, i) => ({
    atMs: i, srcIp: '192.0.2.1', srcPort: 1, dstIp: '192.0.2.2', dstPort: 2, proto: 6, schema: 'flow', reported: false,
    values: Array.from({ length: 10 }, (_, f) => random.normal() + (f < moved ? 1.5 : 0)),
    scores: { guard: random.normal() + scoreShift },
  })); // prettier-ignore
}

test('drift: silent on the same traffic, a note for one feature, an alarm for a fifth of them or for the score', () => {
  const level = (moved: number, scoreShift: number) => {
    const watch = createDriftWatch(3000);
    watch.add(flows(3000, moved, scoreShift));
    return watch.of(card);
  };
  assert.equal(level(0, 0).level, 'none');
  const one = level(1, 0);
  assert.equal(one.level, 'note');
  assert.equal(one.features[0]?.name, 'f0', 'the most drifted stands first');
  assert.equal(one.features[0]?.level, 'alarm');
  // A shift of 1.5 standard deviations: the largest gap of the two distributions is 2 * Phi(0.75) - 1 = 0.547.
  assert.ok(Math.abs(one.features[0].ks - 0.547) < 0.06, String(one.features[0].ks));
  assert.equal(level(2, 0).level, 'alarm');
  assert.equal(level(0, 1.5).level, 'alarm');
});

test('drift: too few rows say nothing, old rows make room for new ones', () => {
  const watch = createDriftWatch(2000);
  watch.add(flows(500, 10, 2));
  assert.equal(watch.of(card).level, 'too_few_rows');
  watch.add(flows(5000, 0, 0));
  assert.equal(watch.of(card).rows, 2000);
  assert.equal(watch.of(card).level, 'none', 'the drifted rows are gone');
});

test('the shadow waits for rows and time, allows the budget, and turns a noisy challenger down', () => {
  const options = trainingOptionsSchema.parse({ shadowRows: 1000, shadowMinutes: 10 });
  const report = { id: 'r', challenger: 'c' } as TrainingReport;
  const after = (
    count: { both: number; championOnly: number; challengerOnly: number },
    rows: number,
    minutes: number,
  ) => {
    const shadow = emptyShadow(report, options, 0);
    addShadow(shadow, { model: 'guard', champion: 'a', version: 'c', rows, ...count });
    return shadowVerdict(shadow, options, { budget: 0.01, nowMs: minutes * 60_000 });
  };
  const quiet = { both: 20, championOnly: 10, challengerOnly: 5 };
  assert.equal(after(quiet, 999, 60), 'wait');
  assert.equal(after(quiet, 1000, 9), 'wait');
  assert.equal(after(quiet, 1000, 10), 'ok');
  assert.equal(after({ ...quiet, challengerOnly: 20 }, 1000, 10), 'ok', '10 more than the champion: the budget of 1 %');
  assert.equal(after({ ...quiet, challengerOnly: 21 }, 1000, 10), 'noisy');
});

test('a schedule that is none, and a protected network that is none, are refused where the configuration is read', () => {
  const wrong = trainingOptionsSchema.safeParse({
    schedule: 'at night',
    protectedNetworks: ['10.0.0.0/8', '10.0.0/8'],
  });
  assert.deepEqual(
    wrong.error?.issues.map((i) => i.path.join('.')),
    ['schedule', 'protectedNetworks.1'],
  );
  for (const schedule of ['30 3 * * *', '0 30 3 * * 1-5'])
    assert.ok(trainingOptionsSchema.safeParse({ schedule }).success);
});
