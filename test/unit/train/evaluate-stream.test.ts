import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openBundle } from '../../../src/train/bundle.js';
import { classesLike, evaluateModel } from '../../../src/train/evaluate-model.js';
import { measure } from '../../../src/train/evaluate/metrics.js';
import { openSession, scoreRows } from '../../../src/train/onnx/session.js';
import { createRandom } from '../../../src/train/random.js';
import { knownSchemas } from '../../../src/train/schemas.js';
import { readTables } from '../../../src/train/table/read-tables.js';
import { trainModel } from '../../../src/train/train-model.js';
import { FIXED_TIME, trainOptions } from './synthetic.js';

const dir = mkdtempSync(join(tmpdir(), 'portcullis-evaluate-'));
after(() => rmSync(dir, { recursive: true, force: true }));

/** Rows of KDD Cup 1999 shape in which attacks overlap with normal ones. */
function kddFile(name: string, rows: number, seed: number): string {
  const random = createRandom(seed);
  const lines = Array.from({ length: rows }, () => {
    const isAttack = random.next() < 0.4;
    const numbers = Array.from({ length: 37 }, () => (random.normal() + (isAttack ? 1 : 0)).toFixed(3));
    return `${random.below(7)},tcp,http,SF,${numbers.join(',')},${isAttack ? 'neptune' : 'normal'}.`;
  });
  const path = join(dir, name);
  writeFileSync(path, lines.join('\n'));
  return path;
}

test('rows that are judged as they are read give the figures of the whole table', async () => {
  const data = kddFile('train.csv', 2000, 1);
  const out = join(dir, 'model');
  await trainModel({ ...trainOptions({ algorithm: 'random-forest', trees: 5 }), data: [data], out }, FIXED_TIME);
  const bundle = openBundle(out);
  // Some pieces of a file each, and the end of one is not the end of the other.
  const files = [kddFile('monday.csv', 7001, 2), kddFile('tuesday.csv', 4099, 3)];
  const seen = await evaluateModel(bundle, files, { format: 'auto', missing: 'reject' });

  const options = { format: 'auto', missing: 'reject', kddColumns: 'network', schemas: knownSchemas() } as const;
  const { table } = await readTables(files, { ...options, maxRows: 1e6, seed: 1 });
  const scores = await scoreRows(await openSession(bundle.onnx), table.x, table.rows, table.columns);
  const classes = classesLike(table, bundle.card.classes, false);
  assert.deepEqual(seen.metrics, measure(table, classes, scores, bundle.card));
  assert.equal(seen.metrics.rows, 11_100);
  assert.ok(seen.metrics.recall > 0.5 && seen.metrics.rocAuc < 0.9999, 'neither nothing nor everything is found');
});

test('labels of other data count as the class of the model that is meant', () => {
  const labels = ['benign', 'ssh_brute_force', 'worm', 'nmap_syn_scan'];
  const rows = { schema: knownSchemas()[0]!, rows: 4, label: Uint16Array.of(0, 1, 2, 3), labels };
  const of = (names: string[]) => [...classesLike(rows, names, false).y].map((c) => names[c]);
  assert.deepEqual(of(['benign', 'attack', 'brute_force', 'port_scan']), [
    'benign',
    'brute_force',
    'attack',
    'port_scan',
  ]);
  assert.deepEqual(of(['benign', 'dos']), ['benign', 'dos', 'dos', 'dos']);
});
