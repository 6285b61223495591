import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTreeFile } from '../../../src/detect/scoring/tree-explainer.js';
import type { FeatureSchema } from '../../../src/domain/feature.js';
import { openSession, scoreRows } from '../../../src/train/onnx/session.js';
import { createRandom } from '../../../src/train/random.js';
import { createTableBuilder } from '../../../src/train/table/builder.js';
import { makeClasses } from '../../../src/train/table/classes.js';
import type { Table } from '../../../src/train/table/table.js';
import { fitTargetEncoding } from '../../../src/train/trees/target-encoding.js';
import { trainGradientBoosting } from '../../../src/train/trees/train-gradient-boosting.js';

const SERVICES = ['http', 'telnet', 'dns', 'ftp', 'smtp', 'rare', 'unseen'];
const SCHEMA: FeatureSchema = {
  name: 'services',
  version: 1,
  features: [
    { name: 'bytes', kind: 'numeric', unit: 'bytes', description: 'Says nothing.' },
    { name: 'service', kind: 'category', unit: '', description: 'Decides.', vocabulary: SERVICES },
    { name: 'packets', kind: 'numeric', unit: 'packets', description: 'Says nothing.' },
  ],
};

/** Flows of five services of which every second one is attacked, in the order of the codes; some say no service. */
function services(rows: number): Table {
  const random = createRandom(3);
  const builder = createTableBuilder(SCHEMA, { maxRows: rows, seed: 1 });
  for (let r = 0; r < rows; r++) {
    const code = random.below(5);
    const label = random.next() < (code % 2 === 1 ? 0.95 : 0.05) ? 'scan' : 'benign';
    const service = random.next() < 0.05 ? NaN : code;
    builder.add([random.below(1000), service, random.below(50)], { label, group: r, time: NaN });
  }
  return builder.build();
}

const table = services(2000);
const classes = makeClasses(table, 'binary');
const boosted = (categories: 'codes' | 'target', trees: number, maxLeaves: number) =>
  trainGradientBoosting({ table, classes }, { seed: 1, trees, maxLeaves, learningRate: 0.5, categories });

async function accuracy(categories: 'codes' | 'target'): Promise<number> {
  const { onnx } = await boosted(categories, 1, 2);
  const { score } = await scoreRows(await openSession(onnx), table.x, table.rows, table.columns);
  const middle = (Math.min(...score) + Math.max(...score)) / 2;
  return score.filter((s, r) => s > middle === (classes.y[r] === 1)).length / table.rows;
}

test('codes are placed by their share of attacks, rare and unseen ones near the average', () => {
  const builder = createTableBuilder(SCHEMA, { maxRows: 400, seed: 1 });
  const add = (service: number, label: string, times: number): void => {
    for (let i = 0; i < times; i++) builder.add([0, service, 0], { label, group: i, time: NaN });
  };
  add(0, 'benign', 100);
  add(1, 'scan', 100);
  add(2, 'benign', 60);
  add(2, 'scan', 40);
  add(5, 'scan', 1);
  const small = builder.build();
  const [order, ...others] = fitTargetEncoding(small, makeClasses(small, 'binary').y);
  assert.equal(others.length, 0);
  assert.equal(order!.feature, 1);
  // Shares of attacks with 20 rows of the average, 141 / 301: http 0.08, dns 0.41, ftp, smtp and unseen 0.468, rare 0.49, telnet 0.91.
  const byPlace = SERVICES.map((_, place) => SERVICES[order!.places.indexOf(place)]);
  assert.deepEqual(byPlace, ['http', 'dns', 'ftp', 'smtp', 'unseen', 'rare', 'telnet']);
});

test('one split of the order tells services apart that one split of their codes cannot', async () => {
  const [target, codes] = [await accuracy('target'), await accuracy('codes')];
  assert.ok(target > 0.9, `by target encoding ${target}`);
  assert.ok(codes < 0.8, `by codes ${codes}`);
});

test('the exported model and the explanation see places as the trainer does, also where a code is missing or new', async () => {
  const model = await boosted('target', 10, 8);
  const session = await openSession(model.onnx);
  const explainer = parseTreeFile(model.trees!);
  const shares = new Float64Array(3);
  const logit = (p: number): number => Math.log(p / (1 - p));
  for (const service of [0, 1, 2, 3, 4, 6, NaN]) {
    const row = Float32Array.of(500, service, 20);
    const { score } = await scoreRows(session, row, 1, 3);
    const expected = model.reference(row, 0)[1]!;
    assert.ok(Math.abs(score[0]! - expected) < 1e-6, `${service}: ${score[0]} and ${expected}`);
    for (const explain of [explainer.contributions, explainer.shapley]) {
      const { bias } = explain(row, 0, shares);
      const sum = shares.reduce((a, b) => a + b, bias);
      assert.ok(Math.abs(sum - logit(expected)) < 1e-4, `${service}: ${sum}`);
    }
    if (service < 5) assert.equal(score[0]! > 0.5, service % 2 === 1);
  }
});
