import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parquetWriteFile } from 'hyparquet-writer';
import { FLOW_SCHEMA } from '../../../src/features/index.js';
import { createRandom } from '../../../src/train/random.js';
import { knownSchemas } from '../../../src/train/schemas.js';
import { openParquetWriter } from '../../../src/train/table/parquet.js';
import { readTables } from '../../../src/train/table/read-tables.js';

const dir = mkdtempSync(join(tmpdir(), 'portcullis-parquet-'));
const options = { format: 'auto', missing: 'reject', kddColumns: 'network', schemas: knownSchemas(), maxRows: 1e6, seed: 1 } as const; // prettier-ignore

function write(path: string, rows: number): Float32Array[] {
  const random = createRandom(3);
  const writer = openParquetWriter(path, FLOW_SCHEMA, ['source']);
  const written = Array.from({ length: rows }, (_, r) => {
    const values = Float32Array.from(FLOW_SCHEMA.features, (f) =>
      f.vocabulary ? random.below(f.vocabulary.length) : Math.exp(3 * random.normal()),
    );
    writer.add({ values, meta: [`run-${r % 3}`], label: r % 2 === 0 ? 'benign' : 'port_scan' });
    return values;
  });
  writer.close();
  return written;
}

test('what is written comes back to the last bit, over several row groups', async () => {
  const path = join(dir, 'rows.parquet');
  const written = write(path, 51_000);
  const { table, files } = await readTables([path], options);
  assert.equal(table.rows, 51_000);
  assert.deepEqual(table.labels, ['benign', 'port_scan']);
  for (const r of [0, 1, 49_999, 50_000, 50_999]) {
    assert.deepEqual(table.x.slice(r * table.columns, (r + 1) * table.columns), written[r], `row ${r}`);
  }
  assert.equal(new Set(table.group).size, 3, 'rows of one source are one group');
  assert.equal(files[0]?.rowsKept, 51_000);
});

test('equal rows give equal bytes', () => {
  const [a, b] = ['a.parquet', 'b.parquet'].map((name) => join(dir, name));
  write(a!, 500);
  write(b!, 500);
  assert.ok(readFileSync(a!).equals(readFileSync(b!)));
});

test('missing and infinite cells are refused and counted as in CSV, and other columns are left alone', async () => {
  const path = join(dir, 'bad.parquet');
  const n = 6;
  parquetWriteFile({
    filename: path,
    columnData: [
      { name: 'comment', data: Array.from({ length: n }, () => 'x'), type: 'STRING' },
      ...FLOW_SCHEMA.features.map((f, c) => ({
        name: f.name,
        data: Array.from({ length: n }, (_, r) =>
          f.vocabulary ? f.vocabulary[0]! : c === 5 && r === 1 ? NaN : c === 6 && r === 2 ? Infinity : r,
        ),
        type: f.vocabulary ? ('STRING' as const) : ('DOUBLE' as const),
      })),
      { name: 'label', data: ['benign', 'benign', 'benign', '', 'port_scan', 'benign'], type: 'STRING' },
    ],
  });
  const { table, files } = await readTables([path], options);
  assert.equal(table.rows, 3);
  assert.deepEqual(files[0]?.rejected, { missing_value: 1, infinite: 1, no_label: 1 });
});

test('a file that is cut, is none, or lacks columns says so by name', async () => {
  const good = join(dir, 'good.parquet');
  write(good, 100);
  const cut = join(dir, 'cut.parquet');
  writeFileSync(cut, readFileSync(good).subarray(0, 3000));
  await assert.rejects(readTables([cut], options), {
    code: 'train.data_unreadable',
    message: /Cannot read cut\.parquet/,
  });
  await assert.rejects(readTables([join(dir, 'gone.parquet')], options), { code: 'train.data_unreadable' });
  const narrow = join(dir, 'narrow.parquet');
  parquetWriteFile({ filename: narrow, columnData: [{ name: 'label', data: ['benign'], type: 'STRING' }] });
  await assert.rejects(readTables([narrow], options), { code: 'train.data_columns', message: /narrow\.parquet lacks/ });
});
