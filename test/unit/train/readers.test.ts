import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { FLOW_SCHEMA, KDD_SCHEMA, schemaHash as sensorHash } from '../../../src/features/index.js';
import { knownSchemas } from '../../../src/train/schemas.js';
import { splitCsv } from '../../../src/train/table/lines.js';
import { KDD_COLUMNS } from '../../../src/train/table/kdd-columns.js';
import { readTables, type ReadOptions } from '../../../src/train/table/read-tables.js';
import { schemaHash } from '../../../src/train/table/table.js';
import { AppError } from '../../../src/util/errors.js';
import { SYNTHETIC_SCHEMA } from './synthetic.js';

const dir = mkdtempSync(join(tmpdir(), 'portcullis-readers-'));
const file = (name: string, content: string | Buffer): string => {
  const path = join(dir, name);
  writeFileSync(path, content);
  return path;
};
const options = (changes: Partial<ReadOptions> = {}): ReadOptions => ({
  format: 'auto',
  missing: 'reject',
  kddColumns: 'network',
  schemas: [...knownSchemas(), SYNTHETIC_SCHEMA],
  maxRows: 10_000,
  seed: 1,
  ...changes,
});
const fails = (code: string, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof AppError, String(error));
  assert.equal(error.code, code);
  assert.match(error.message, message);
  assert.equal(error.kind, 'user');
  return true;
};

/** A row of the KDD table: distinct numbers so that a shifted column shows. */
const kddRow = (label: string, tail = ''): string =>
  KDD_COLUMNS.map((c, i) => ({ protocol_type: 'udp', service: 'domain_u', flag: 'SF' })[c.name] ?? String(i)).join(
    ',',
  ) + `,${label}${tail}`;

test('KDD Cup 1999 and NSL-KDD rows give the 28 live columns in the order of the live schema', async () => {
  for (const [name, label, tail, format] of [
    ['kdd.csv', 'normal.', '', 'kddcup99'],
    ['nsl.txt', 'neptune', ',21', 'nsl-kdd'],
  ] as const) {
    const { table, files } = await readTables([file(name, `${kddRow(label, tail)}\n`)], options());
    assert.equal(files[0]?.format, format);
    assert.equal(table.columns, 28);
    assert.equal(schemaHash(table.schema), sensorHash(KDD_SCHEMA));
    assert.deepEqual([...table.labels], [label === 'normal.' ? 'benign' : 'neptune']);
    const value = (column: string): number => table.x[KDD_SCHEMA.features.findIndex((f) => f.name === column)]!;
    assert.equal(value('duration'), 0);
    assert.equal(value('src_bytes'), 4);
    assert.equal(value('count'), 22);
    assert.equal(value('dst_host_srv_rerror_rate'), 40);
    const service = KDD_SCHEMA.features.find((f) => f.name === 'service');
    assert.equal(service?.vocabulary?.[value('service')], 'domain_u');
  }
});

test('the schema hash in cards is the one that the sensor computes', () => {
  for (const schema of [FLOW_SCHEMA, KDD_SCHEMA, SYNTHETIC_SCHEMA])
    assert.equal(schemaHash(schema), sensorHash(schema));
});

test('every bad row is refused and counted by its reason, and good rows are kept', async () => {
  const good = kddRow('normal', ',21');
  const rows = [
    good,
    good.replace(',4,', ',x,'),
    good.replace(',4,', ',Infinity,'),
    good.replace(',4,', ',NaN,'),
    good.replace(',4,', ',,'),
    `${good},1`,
    good.replace('normal', ''),
    good,
  ];
  const { table, files } = await readTables([file('bad.txt', rows.join('\n'))], options({ format: 'nsl-kdd' }));
  assert.equal(table.rows, 2);
  assert.equal(files[0]?.rowsRead, 8);
  assert.deepEqual(files[0]?.rejected, { not_a_number: 1, infinite: 1, missing_value: 2, wrong_width: 1, no_label: 1 });
  const kept = await readTables([file('bad2.txt', rows.join('\n'))], options({ format: 'nsl-kdd', missing: 'keep' }));
  assert.equal(kept.table.rows, 4);
  assert.equal(kept.table.x.filter((v) => Number.isNaN(v)).length, 2);
});

test('CIC-style tables lose addresses, ports and times, and rows of one conversation are one group', async () => {
  const csv =
    'Flow ID,Src IP,Src Port,Dst IP,Dst Port,Protocol,Timestamp,Flow Duration,Total Fwd Packet,Label\r\n' +
    'a,10.0.0.1,1000,10.0.0.2,80,6,2017-07-07 19:14:04.30,17,3,BENIGN\r\n' +
    'b,10.0.0.1,1000,10.0.0.2,80,6,2017-07-07 19:14:05,18,4,DoS Hulk\r\n' +
    'c,10.0.0.9,1001,10.0.0.2,80,6,2017-07-07 19:14:06,19,5,DoS Hulk\r\n';
  const { table, files } = await readTables([file('cic.csv', csv)], options());
  assert.equal(files[0]?.format, 'cic');
  assert.deepEqual(
    table.schema.features.map((f) => f.name),
    ['protocol', 'flow_duration', 'total_fwd_packet'],
  );
  assert.deepEqual([...table.x], [6, 17, 3, 6, 18, 4, 6, 19, 5]);
  assert.deepEqual(table.labels, ['benign', 'DoS Hulk']);
  assert.equal(table.group[0], table.group[1]);
  assert.notEqual(table.group[1], table.group[2]);
  assert.ok(Math.abs(table.time[1]! - table.time[0]! - 0.7) < 1e-3);
});

test('our own tables are read by column name, in any order, with categories by name and quoted labels', async () => {
  const names = SYNTHETIC_SCHEMA.features.map((f) => f.name).reverse();
  const row = (state: string, label: string): string =>
    names.map((n) => (n === 'state' ? state : n === 'packets' ? '7' : '1')).join(',') +
    `,"f.pcap/10.0.0.1",1000000,${label}`;
  const csv = `${names.join(',')},source,start_us,label\n${row('reset', '"port scan, slow"')}\n${row('1', 'Normal')}\n${row('gone', 'benign')}\n`;
  const { table } = await readTables([file('own.csv', csv)], options({ missing: 'keep' }));
  assert.equal(table.schema.name, 'synthetic');
  assert.deepEqual(table.labels, ['port scan, slow', 'benign']);
  assert.equal(table.x[0], 7);
  assert.deepEqual([table.x[5], table.x[13]], [2, 1]);
  assert.ok(Number.isNaN(table.x[21]), 'a category that the schema does not know is a missing value');
  assert.equal(table.time[0], 1);
});

test("a table without the schema's columns is refused, naming those that lack", async () => {
  const names = SYNTHETIC_SCHEMA.features.map((f) => f.name).filter((n) => n !== 'gap');
  await assert.rejects(
    readTables([file('lack.csv', `${names.join(',')},label\n`)], options()),
    fails('train.data_columns', /lack\.csv lacks the column gap of feature schema synthetic/),
  );
  await assert.rejects(
    readTables([file('none.csv', 'a,b,c\n1,2,3\n')], options()),
    fails('train.data_format', /none of the known/),
  );
});

test('files of different schemas are not mixed', async () => {
  const own = file(
    'mix.csv',
    `${SYNTHETIC_SCHEMA.features.map((f) => f.name).join(',')},label\n${'1,'.repeat(8)}benign\n`,
  );
  await assert.rejects(
    readTables([file('mix.txt', kddRow('normal', ',1')), own], options()),
    fails('train.data_columns', /mix\.csv has feature schema synthetic v1, the files before it kdd v1/),
  );
});

test('gzip is read, a damaged or missing file and a file without rows say so', async () => {
  const packed = gzipSync(`${kddRow('smurf.')}\n`.repeat(50));
  assert.equal((await readTables([file('ok.gz', packed)], options())).table.rows, 50);
  await assert.rejects(
    readTables([file('cut.gz', packed.subarray(0, 60))], options()),
    fails('train.data_unreadable', /cut\.gz/),
  );
  await assert.rejects(readTables([join(dir, 'absent.csv')], options()), fails('train.data_unreadable', /absent\.csv/));
  await assert.rejects(
    readTables([file('allbad.txt', kddRow('normal', ',1').replace(',4,', ',NaN,'))], options({ format: 'nsl-kdd' })),
    fails('train.data_empty', /1 missing value of 1/),
  );
  await assert.rejects(
    readTables([file('binary', Buffer.alloc(3 << 20, 1))], options()),
    fails('train.data_format', /longer than 1 MiB/),
  );
});

test('beyond the row limit a uniform sample is kept, the same for the same seed', async () => {
  const rows = Array.from({ length: 5000 }, (_, i) => kddRow('normal', ',1').replace(/^0/, String(i)));
  const path = file('many.txt', rows.join('\n'));
  const read = async (seed: number): Promise<number[]> => {
    const { table } = await readTables([path], options({ maxRows: 500, seed }));
    assert.equal(table.rows, 500);
    return Array.from({ length: 500 }, (_, r) => table.x[r * table.columns]!);
  };
  const a = await read(1);
  assert.deepEqual(a, await read(1));
  assert.notDeepEqual(a, await read(2));
  const mean = a.reduce((x, y) => x + y, 0) / 500;
  assert.ok(mean > 2200 && mean < 2800, `mean ${mean} of a sample of 0..4999`);
});

test('CSV fields may be quoted and hold commas and doubled quotes', () => {
  assert.deepEqual(splitCsv('a,"b,""c""",,d'), ['a', 'b,"c"', '', 'd']);
});
