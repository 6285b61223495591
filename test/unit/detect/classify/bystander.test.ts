import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FLOW_SCHEMA } from '../../../../src/features/index.js';
import { RowBatch } from '../../../../src/detect/scoring/batch.js';
import { bystanderCheck } from '../../../../src/detect/scoring/bystander.js';
import type { LoadedBundle } from '../../../../src/detect/scoring/bundle.js';
import { Reporter } from '../../../../src/detect/scoring/reporter.js';
import { openBundle } from '../../../../src/train/index.js';
import type { Detection } from '../../../../src/domain/detection.js';
import { flowColumns } from './scorer-fixtures.js';

const { card } = openBundle('models/flow-classifier');

/** The vector of a flow whose source has `own` connections, to a destination that `sources` give `all`. */
function vector(own: number, all: number, sources: number): Float32Array {
  const values = new Float32Array(FLOW_SCHEMA.features.length);
  for (const [name, value] of Object.entries({
    src_short_connections: own,
    dst_connections: all,
    dst_sources: sources,
  })) {
    values[FLOW_SCHEMA.features.findIndex((f) => f.name === name)] = value;
  }
  return values;
}

/** What is reported of a flow that scores 0.9 as this class. */
function reported(
  values: Float32Array,
  label: string,
  novelty = 0,
  tier = card.tier,
): { found: Detection[]; bystanders: number } {
  const found: Detection[] = [];
  const deps = { emit: (d: Detection) => found.push(d), sensor: 'test' };
  const reporter = new Reporter(deps as unknown as ConstructorParameters<typeof Reporter>[0], 100, undefined);
  const batch = new RowBatch(1, values.length);
  batch.add({ schema: 'flow', moment: 'end', values }, flowColumns(1), 0);
  const bundle: LoadedBundle = {
    dir: '',
    card: { ...card, tier },
    onnx: new Uint8Array(),
    explainer: undefined,
    isBystander: bystanderCheck(card),
  };
  const attackClass = Uint8Array.of(card.classes.indexOf(label));
  const scores = { key: 0, score: Float32Array.of(0.9), attackClass, novelty: Float32Array.of(novelty) };
  reporter.report(bundle, scores, batch);
  return { found, bystanders: reporter.stats()['model_bystanders']! };
}

test('who asks a flooded host a few times is not reported as one who floods it, and is counted', () => {
  const { found, bystanders } = reported(vector(4, 621, 3), 'flood');
  assert.deepEqual([found, bystanders], [[], 1]);
  assert.deepEqual(reported(vector(4, 621, 3), 'flood', 9).found, [], 'unlike every flood, and still a bystander');
  assert.equal(reported(vector(617, 621, 3), 'flood', 9).found[0]?.label, 'unknown', 'the control');
});

test('an anomaly model, which knows no floods, says nothing of bystanders either', () => {
  assert.deepEqual(reported(vector(4, 621, 3), 'port_scan', 0, 'anomaly').bystanders, 1);
  assert.equal(reported(vector(617, 621, 3), 'port_scan', 0, 'anomaly').found.length, 1);
});

test('whoever has a quarter of an even part and more is reported: one source, a botnet, forged sources', () => {
  for (const [own, all, sources] of [
    [617, 621, 3],
    [52, 621, 3],
    [20, 2000, 100],
    [1, 5000, 5000],
    [1, 1, 1],
  ] as const) {
    assert.equal(reported(vector(own, all, sources), 'flood').found[0]?.label, 'flood', `${own} of ${all}`);
  }
});

test('other findings than floods, and models without these counts, are reported as before', () => {
  assert.equal(reported(vector(4, 621, 3), 'slow_http').found[0]?.label, 'slow_http');
  assert.equal(bystanderCheck({ schema: { ...card.schema, features: [] } }), undefined);
});
