import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Detection } from '../../../../src/domain/detection.js';
import { RowBatch } from '../../../../src/detect/scoring/batch.js';
import type { LoadedBundle } from '../../../../src/detect/scoring/bundle.js';
import { Reporter } from '../../../../src/detect/scoring/reporter.js';
import { openBundle } from '../../../../src/train/index.js';
import { flowColumns } from './scorer-fixtures.js';

const { card } = openBundle('models/flow-classifier');
const ROWS = 30;

/** How `ROWS` findings of each of two classes were explained. */
function explained(offline: boolean): { found: number; exact: number; quick: number } {
  const counts = { found: 0, exact: 0, quick: 0 };
  const deps = { emit: () => counts.found++, sensor: 'test', offline };
  const reporter = new Reporter(deps as unknown as ConstructorParameters<typeof Reporter>[0], 1000, undefined);
  const features = card.schema.features.length;
  const explainer = {
    features,
    shapley: () => {
      counts.exact++;
      return { bias: 0 };
    },
    contributions: () => {
      counts.quick++;
      return { bias: 0 };
    },
  };
  const bundle: LoadedBundle = { dir: '', card, onnx: new Uint8Array(), explainer, isBystander: undefined };
  const batch = new RowBatch(ROWS, features);
  const vector = { schema: 'flow', moment: 'end' as const, values: new Float32Array(features) };
  for (let r = 0; r < ROWS; r++) batch.add(vector, flowColumns(ROWS), r);
  for (const label of ['port_scan', 'flood']) {
    const attackClass = new Uint8Array(ROWS).fill(card.classes.indexOf(label));
    reporter.report(bundle, { key: 0, score: new Float32Array(ROWS).fill(0.9), attackClass }, batch);
  }
  return counts;
}

test('offline the first twenty findings of a class are explained exactly, live none', () => {
  assert.deepEqual(explained(true), { found: 2 * ROWS, exact: 40, quick: 20 });
  assert.deepEqual(explained(false), { found: 2 * ROWS, exact: 0, quick: 60 });
});

test('a finding of little calibrated confidence is of low severity, a sure one of the severity of its class', () => {
  const found: Detection[] = [];
  const deps = { emit: (d: Detection) => found.push(d), sensor: 'test' };
  const reporter = new Reporter(deps as unknown as ConstructorParameters<typeof Reporter>[0], 1000, undefined);
  const bundle: LoadedBundle = {
    dir: '',
    card,
    onnx: new Uint8Array(),
    explainer: undefined,
    isBystander: undefined,
  };
  const features = card.schema.features.length;
  const batch = new RowBatch(2, features);
  const vector = { schema: 'flow', moment: 'end' as const, values: new Float32Array(features) };
  for (const r of [0, 1]) batch.add(vector, flowColumns(2), r);
  const flood = card.classes.indexOf('flood');
  const score = Float32Array.of(0.55, 0.99);
  reporter.report(bundle, { key: 0, score, attackClass: Uint8Array.of(flood, flood) }, batch);
  assert.deepEqual(
    found.map((d) => [d.severity, d.confidence < 0.05]),
    [
      ['low', true],
      ['high', false],
    ],
  );
});
