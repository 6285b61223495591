import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALGORITHMS, modelCardSchema } from '../../../src/contract/model-card.js';
import { TRAINERS } from '../../../src/train/algorithms.js';
import type { TrainedModel } from '../../../src/train/model.js';
import { openSession, scoreRows } from '../../../src/train/onnx/session.js';
import { measureParity } from '../../../src/train/parity.js';
import { anomalyClasses, makeClasses } from '../../../src/train/table/classes.js';
import { rowsWhere, takeRows } from '../../../src/train/table/table.js';
import { trainOnTable } from '../../../src/train/train-model.js';
import { AppError } from '../../../src/util/errors.js';
import { FIXED_TIME, syntheticTable, trainOptions } from './synthetic.js';

const SMALL = { trees: 15, maxLeaves: 32, epochs: 4, batchSize: 64 };
const table = syntheticTable(1500, 21, 0.1);

for (const algorithm of ALGORITHMS) {
  test(`${algorithm}: equal seeds give equal bytes, the export equals the trainer, the card is valid`, async () => {
    const options = trainOptions({ algorithm, ...SMALL });
    const first = await trainOnTable(table, [], options, FIXED_TIME);
    const second = await trainOnTable(table, [], options, FIXED_TIME);
    assert.deepEqual([...first.files.keys()], [...second.files.keys()]);
    for (const [name, bytes] of first.files)
      assert.ok(Buffer.compare(bytes, second.files.get(name)!) === 0, `${name} differs`);
    const other = await trainOnTable(table, [], trainOptions({ algorithm, ...SMALL, seed: 2 }), FIXED_TIME);
    assert.notEqual(other.card.id, first.card.id, 'another seed gives another model');
    const { card } = first;
    modelCardSchema.parse(JSON.parse(Buffer.from(first.files.get('card.json')!).toString()));
    assert.ok(card.parity.rows > 100 && card.parity.maxDifference < 2e-5, `parity ${card.parity.maxDifference}`);
    const floor = card.tier === 'anomaly' ? 0.9 : 0.97;
    assert.ok(card.metrics.rocAuc > floor, `ROC AUC ${card.metrics.rocAuc}`);
    assert.ok(card.metrics.falsePositiveRate < 0.12, `false alarms ${card.metrics.falsePositiveRate}`);
  });

  test(`${algorithm}: a row has the same score alone and in any batch`, async () => {
    const classes =
      algorithm === 'autoencoder' || algorithm === 'isolation-forest'
        ? anomalyClasses(table)
        : makeClasses(table, 'label');
    const model = await TRAINERS[algorithm]({ table, classes }, { seed: 1, ...SMALL });
    const session = await openSession(model.onnx);
    const whole = (await scoreRows(session, table.x, 300, table.columns)).score;
    for (const size of [1, 7, 128]) {
      for (let start = 0; start + size <= 300; start += 43) {
        const part = await scoreRows(session, table.x.slice(start * table.columns), size, table.columns);
        assert.deepEqual(part.score, whole.slice(start, start + size), `batch of ${size} at ${start}`);
      }
    }
  });
}

test('a feature that is ignored moves no score, and one that is not does', async () => {
  for (const algorithm of ALGORITHMS) {
    const options = trainOptions({ algorithm, ...SMALL, ignore: ['distinct_ports', 'state'] });
    const { files } = await trainOnTable(table, [], options, FIXED_TIME);
    const session = await openSession(files.get('model.onnx')!);
    const score = async (column: number, value: number): Promise<Float32Array> => {
      const x = table.x.slice(0, 200 * table.columns);
      for (let r = 0; r < 200; r++) x[r * table.columns + column] = value;
      return (await scoreRows(session, x, 200, table.columns)).score;
    };
    assert.deepEqual(await score(2, 1), await score(2, 500), `${algorithm}: distinct_ports`);
    assert.deepEqual(await score(5, 0), await score(5, 2), `${algorithm}: state`);
    assert.notDeepEqual(await score(0, 1), await score(0, 5000), `${algorithm}: packets`);
  }
});

test('an export that is not the trained model is never written: parity can fail', async () => {
  const classes = makeClasses(table, 'label');
  const model = (await TRAINERS['random-forest']({ table, classes }, { seed: 1, ...SMALL })) as TrainedModel;
  const other = (await TRAINERS['random-forest']({ table, classes }, { seed: 2, ...SMALL })) as TrainedModel;
  const session = await openSession(model.onnx);
  assert.ok((await measureParity(model, session, table)).maxDifference < 1e-5);
  await assert.rejects(measureParity(other, session, table), (e) => e instanceof AppError && e.code === 'train.parity');
});

test('logistic regression with an L1 penalty drops features that say nothing', async () => {
  const classes = makeClasses(table, 'binary');
  const dense = await TRAINERS['logistic-regression']({ table, classes }, { seed: 1 });
  const sparse = await TRAINERS['logistic-regression']({ table, classes }, { seed: 1, l1: 0.02, l2: 0 });
  assert.ok(Number(sparse.parameters['nonZero']) < Number(dense.parameters['nonZero']));
  assert.ok(Number(sparse.parameters['nonZero']) >= 2);
});

test('a class held back from training is mostly novel to the open-set CNN', async () => {
  const full = syntheticTable(3000, 31);
  // A third known class, so that one can be held back and two stay.
  const scans = rowsWhere(full, (r) => full.labels[full.label[r]!] === 'scan');
  const wide = { ...full, label: full.label.slice(), labels: [...full.labels, 'wide_scan'] };
  for (const r of scans) if (full.x[r * full.columns + 2]! > 80) wide.label[r] = wide.labels.length - 1;
  const known = takeRows(
    wide,
    rowsWhere(wide, (r) => wide.labels[wide.label[r]!] !== 'flood'),
  );
  const floods = takeRows(
    wide,
    rowsWhere(wide, (r) => wide.labels[wide.label[r]!] === 'flood'),
  );
  const model = await TRAINERS.cnn(
    { table: known, classes: makeClasses(known, 'label') },
    { seed: 1, epochs: 5, batchSize: 64 },
  );
  const session = await openSession(model.onnx);
  const median = async (t: typeof known): Promise<number> => {
    const { novelty } = await scoreRows(session, t.x, t.rows, t.columns);
    return [...novelty!].sort((a, b) => a - b)[t.rows >> 1]!;
  };
  assert.ok((await median(floods)) > 1.5 * (await median(known)));
});

test('training that meets a broken model file says so', async () => {
  await assert.rejects(
    openSession(new Uint8Array(100).fill(3)),
    (e) => e instanceof AppError && e.code === 'model.onnx_broken',
  );
});
