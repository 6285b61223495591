// npx tsx scripts/models-check.ts --model models/flow-classifier --captures DIR --index FILE [--origin NAME]... [--lab DIR]
//
// What a model reports on captures: share of flows with a vector at or above the threshold, by origin and family.
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { FLOW_SCHEMA } from '../src/features/index.js';
import { openBundle, openSession, scoreRows } from '../src/train/index.js';
import type { LabelledCapture } from './models-replay.js';
import { extractVectors, indexedCaptures, labCaptures } from './models-vectors.js';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'models/flow-classifier' },
    captures: { type: 'string' },
    index: { type: 'string' },
    lab: { type: 'string', multiple: true, default: [] },
    origin: { type: 'string', multiple: true, default: [] },
  },
});
const { card, onnx } = openBundle(values.model);
const session = await openSession(onnx);
const columns = FLOW_SCHEMA.features.length;
const others = values.captures && values.index ? indexedCaptures(values.captures, values.index) : [];
const captures: LabelledCapture[] = [...values.lab.flatMap(labCaptures), ...others].filter(
  (c) => existsSync(c.path) && (values.origin.length === 0 || values.origin.includes(c.origin)),
);
const totals = new Map<string, { vectors: number; reported: number; captures: number }>();
for (const capture of captures) {
  for (const { label, rows: flows } of await extractVectors(capture, 5000)) {
    const rows = flows.flat();
    const x = new Float32Array(rows.length * columns);
    for (const [i, row] of rows.entries()) x.set(row, i * columns);
    const { score } = await scoreRows(session, x, rows.length, columns);
    const key = `${capture.origin.padEnd(16)} ${label}`;
    const entry = totals.get(key) ?? { vectors: 0, reported: 0, captures: 0 };
    totals.set(key, entry);
    entry.vectors += rows.length;
    entry.reported += score.filter((s) => s >= card.threshold).length;
    entry.captures++;
  }
}
console.log(`${card.name} ${card.id}, threshold ${card.threshold.toPrecision(4)}`);
for (const [key, { vectors, reported, captures: n }] of [...totals].sort(([a], [b]) => (a < b ? -1 : 1))) {
  console.log(
    `${((100 * reported) / vectors).toFixed(2).padStart(7)} % of ${String(vectors).padStart(6)} vectors, ${String(n).padStart(4)} captures  ${key}`,
  );
}
