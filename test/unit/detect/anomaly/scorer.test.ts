import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createScorer, scoringOptionsSchema } from '../../../../src/detect/scoring/index.js';
import type { Detection } from '../../../../src/domain/detection.js';
import { silentLogger } from '../../../../src/util/logger.js';
import { SYNTHETIC_SCHEMA } from '../../train/synthetic.js';
import { flowColumns, makeModel, vectors } from '../classify/scorer-fixtures.js';

const ROWS = 400;

async function run(
  models: string[],
  batchRows: number,
): Promise<{ detections: Detection[]; scores: Map<string, number[]> }> {
  const detections: Detection[] = [];
  const scores = new Map<string, number[]>();
  const scorer = createScorer(scoringOptionsSchema.parse({ models, batchRows }), {
    emit: (d) => detections.push(d),
    log: silentLogger,
    schemas: [SYNTHETIC_SCHEMA],
    sensor: 'test',
    offline: true,
    onScores: (bundle, result, rows) => {
      const list = scores.get(bundle.card.name) ?? [];
      scores.set(bundle.card.name, list);
      list.push(...result.score.subarray(0, rows));
    },
  });
  for (const report of await scorer.start()) assert.equal(report.ok, true, report.reason);
  const flows = flowColumns(ROWS);
  flows.handshakePackets.fill(0);
  flows.payloadBwd.fill(0);
  const { vector, load } = vectors(ROWS, 11);
  for (let r = 0; r < ROWS; r++) {
    load(r);
    scorer.push(vector, flows, r);
  }
  await scorer.drain();
  await scorer.close();
  return { detections, scores };
}

test('an autoencoder and an isolation forest score the same flows side by side, and explain by feature', async () => {
  const models = [
    await makeModel('autoencoder', { epochs: 10, batchSize: 64 }),
    await makeModel('isolation-forest', { trees: 50 }),
  ];
  const { detections, scores } = await run(models, 128);
  assert.deepEqual((await run(models, 13)).scores, scores, 'scores do not depend on the batch');
  const { labelOf } = vectors(ROWS, 11);
  for (const name of ['autoencoder', 'isolation-forest']) {
    const own = detections.filter((d) => d.metadata?.['model']?.[0] === name);
    assert.ok(own.length > 0.2 * ROWS, `${name}: ${own.length}`);
    const benign = own.filter((d) => labelOf(d.flowId! - 1) === 'benign').length;
    assert.ok(benign < 0.06 * ROWS, `${name}: ${benign} benign flows reported`);
    for (const d of own) {
      assert.equal(d.tier, 'anomaly');
      assert.equal(d.gid, 4);
      assert.equal(d.label, 'anomaly');
      assert.equal(d.spoofable, true, 'no handshake, no data back: the source may be forged');
    }
    const floods = own.filter((d) => labelOf(d.flowId! - 1) === 'flood');
    const named = floods.filter((d) =>
      d.evidence.slice(1, 4).some((e) => ['packets', 'bytes', 'gap', 'syn_share', 'has_reply'].includes(e.name)),
    );
    assert.ok(named.length > 0.9 * floods.length, `${name} names what makes a flood`);
  }
});

test('a model without trees is explained by leaving features out, for the first rows of a batch', async () => {
  const { detections } = await run([await makeModel('logistic-regression')], 128);
  const explained = detections.filter((d) => d.evidence.length > 1);
  assert.ok(explained.length >= 20 && explained.length <= 8 * 4);
  const shares = explained[0]!.evidence.slice(1).map((e) => e.contribution!);
  assert.ok(shares.every((s) => s > 0 && s <= 1));
});
