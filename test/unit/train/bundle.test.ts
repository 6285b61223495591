import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ModelCard } from '../../../src/contract/model-card.js';
import { openBundle, sha256, writeBundle } from '../../../src/train/bundle.js';
import { createRegistry } from '../../../src/train/lifecycle/registry.js';
import { trainInChild } from '../../../src/train/lifecycle/train-child.js';
import { trainModel, trainOnTable } from '../../../src/train/train-model.js';
import { AppError } from '../../../src/util/errors.js';
import { nodeArgs, ourFile } from '../../support/program.js';
import { FIXED_TIME, syntheticTable, trainOptions } from './synthetic.js';

const main = ourFile('src/cli/main.ts');
const root = mkdtempSync(join(tmpdir(), 'portcullis-bundle-'));
const bundles = await Promise.all(
  [1, 2, 3].map(async (seed) => {
    const options = trainOptions({ algorithm: 'random-forest', trees: 3, maxLeaves: 8, seed, name: 'm' });
    const { card, files } = await trainOnTable(syntheticTable(600, 1), [], options, FIXED_TIME);
    return { id: card.id, files };
  }),
);
const code = (expected: string) => (e: unknown) => e instanceof AppError && e.code === expected;

/** A data file of NSL-KDD shape with two classes that differ. */
function kddFile(rows: number): string {
  const path = join(root, `kdd-${rows}.txt`);
  const lines = Array.from({ length: rows }, (_, r) => {
    const attack = r % 3 === 0;
    const numbers = Array.from({ length: 37 }, (_v, i) => ((r * (i + 3)) % 17) + (attack ? 20 : 0));
    return `${r % 7},tcp,http,SF,${numbers.join(',')},${attack ? 'neptune' : 'normal'},20`;
  });
  writeFileSync(path, lines.join('\n'));
  return path;
}

async function cli(...args: string[]): Promise<{ code: number; stderr: string; stdout: string }> {
  const child = spawn(process.execPath, [...nodeArgs('src/cli/main.ts'), ...args]);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (d) => (stdout += String(d)));
  child.stderr.on('data', (d) => (stderr += String(d)));
  const [exit] = (await once(child, 'close')) as [number];
  return { code: exit, stdout, stderr };
}

test('a bundle is replaced whole, and a folder that is no bundle is left alone', () => {
  const dir = join(root, 'plain');
  writeBundle(dir, bundles[0]!.files);
  assert.equal(openBundle(dir).card.id, bundles[0]!.id);
  writeBundle(dir, bundles[1]!.files);
  assert.equal(openBundle(dir).card.id, bundles[1]!.id);
  assert.deepEqual(
    readdirSync(root).filter((n) => n.startsWith('.')),
    [],
    'nothing half-done is left',
  );
  const documents = join(root, 'documents');
  mkdirSync(documents);
  writeFileSync(join(documents, 'letter.txt'), 'dear');
  assert.throws(() => writeBundle(documents, bundles[0]!.files), code('model.not_a_bundle'));
  assert.equal(readFileSync(join(documents, 'letter.txt'), 'utf8'), 'dear');
});

test('a folder that is no bundle is refused before anything is read or trained', async () => {
  const out = join(root, 'photos');
  mkdirSync(out);
  const options = { ...trainOptions({ algorithm: 'random-forest' }), data: [join(root, 'not-there.csv')], out };
  await assert.rejects(trainModel(options, FIXED_TIME), code('model.not_a_bundle'));
  await assert.rejects(trainModel({ ...options, out: join(out, 'new') }, FIXED_TIME), code('train.data_unreadable'));
});

test('a place that cannot hold a folder is an error with a reason', { timeout: 60_000 }, () => {
  assert.throws(() => writeBundle('/proc/model', bundles[0]!.files), code('model.write_failed'));
});

test('each way in which card and files can disagree is refused', () => {
  const dir = join(root, 'broken');
  for (const [name, damage] of [
    ['card.json', (b: Buffer) => b.subarray(0, 100)],
    ['card.json', (b: Buffer) => Buffer.from(b.toString().replace('"threshold"', '"treshold"'))],
    ['card.json', (b: Buffer) => Buffer.from(b.toString().replace(/"threshold": [\d.e-]+/, '"threshold": 0.99'))],
    [
      'card.json',
      (b: Buffer) => Buffer.from(b.toString().replace('"falsePositiveBudget": 0', '"falsePositiveBudget": 1')),
    ],
    ['card.json', (b: Buffer) => Buffer.from(b.toString().replaceAll('"benign"', '"harmless"'))],
    ['card.json', (b: Buffer) => Buffer.from(b.toString().replace('"seed": 1', '"seed": 2'))],
    ['model.onnx', (b: Buffer) => Buffer.concat([b, Buffer.from([0])])],
    ['plots/roc.svg', (b: Buffer) => b.subarray(1)],
  ] as const) {
    writeBundle(dir, bundles[0]!.files);
    openBundle(dir);
    const [before, after] = [readFileSync(join(dir, name)), damage(readFileSync(join(dir, name)))];
    assert.notDeepEqual(before, after, 'it is another file');
    writeFileSync(join(dir, name), after);
    assert.throws(() => openBundle(dir), code('model.mismatch'), name);
  }
  assert.throws(() => openBundle(join(root, 'nowhere')), code('model.not_found'));
});

test('a card beside another model, or beside one without a seal, is refused however well the hashes fit', () => {
  const dir = join(root, 'unsealed');
  const replaceModel = (onnx: Uint8Array): void => {
    writeBundle(dir, bundles[0]!.files);
    const card = JSON.parse(readFileSync(join(dir, 'card.json'), 'utf8')) as ModelCard;
    card.files['model.onnx'] = { sha256: sha256(onnx), bytes: onnx.length };
    writeFileSync(join(dir, 'model.onnx'), onnx);
    writeFileSync(join(dir, 'card.json'), JSON.stringify(card));
  };
  const [own, other] = [bundles[0]!, bundles[1]!].map((b) => b.files.get('model.onnx')!);
  replaceModel(own!);
  openBundle(dir);
  replaceModel(other!);
  assert.throws(() => openBundle(dir), /card\.json and model\.onnx disagree/);
  replaceModel(own!.subarray(0, own!.length - 10));
  assert.throws(() => openBundle(dir), /is not sealed to a card/);
});

test('a full disk is reported, and the model that was there is still there', (t) => {
  const small = join(root, 'small-disk');
  mkdirSync(small);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', small], { stdio: 'ignore' });
  } catch {
    t.skip('needs the right to mount a small file system');
    return;
  }
  try {
    const dir = join(small, 'm');
    writeBundle(dir, bundles[0]!.files);
    const huge = new Map([...bundles[1]!.files, ['model.onnx', new Uint8Array(400_000)]]);
    assert.throws(() => writeBundle(dir, huge), code('model.disk_full'));
    assert.equal(openBundle(dir).card.id, bundles[0]!.id);
    assert.deepEqual(readdirSync(small), ['m']);
  } finally {
    execFileSync('umount', [small]);
  }
});

test('promote makes a version current, rollback returns to the one before, old versions go', () => {
  const models = join(root, 'models');
  const registry = createRegistry(models);
  const dirs = bundles.map((b, i) => {
    const dir = join(root, `trained-${i}`);
    writeBundle(dir, b.files);
    return dir;
  });
  // Shipped as a plain folder.
  writeBundle(join(models, 'm'), bundles[0]!.files);
  const act = { by: 'test', nowMs: 1000, reason: 'r' };
  assert.equal(registry.promote(dirs[1]!, act).previous, bundles[0]!.id);
  assert.equal(openBundle(join(models, 'm')).card.id, bundles[1]!.id);
  assert.equal(registry.promote(dirs[2]!, act).previous, bundles[1]!.id);
  assert.equal(registry.list()[0]?.versions, 3);
  assert.equal(registry.rollback('m', act).id, bundles[1]!.id);
  assert.equal(openBundle(join(models, 'm')).card.id, bundles[1]!.id);
  assert.equal(registry.rollback('m', act).id, bundles[0]!.id, 'a second rollback goes one further back');
  assert.throws(() => registry.rollback('m', act), code('model.no_previous'));
  assert.deepEqual(
    registry.show('m').history.map((h) => h.action),
    ['promote', 'promote', 'rollback', 'rollback'],
  );
  registry.promote(dirs[2]!, { ...act, keep: 2 });
  assert.equal(registry.list()[0]?.versions, 2);
  assert.throws(() => registry.show('absent'), code('model.not_found'));
  assert.throws(() => registry.promote(dirs[0]!, { ...act, name: '../evil' }), code('model.name'));
});

test('a broken bundle is not promoted and the current one stays', () => {
  const registry = createRegistry(join(root, 'guarded'));
  const dir = join(root, 'guarded-source');
  writeBundle(dir, bundles[0]!.files);
  registry.promote(dir, { by: 't', nowMs: 1, reason: '' });
  writeBundle(dir, bundles[1]!.files);
  writeFileSync(join(dir, 'trees.bin'), 'x');
  assert.throws(() => registry.promote(dir, { by: 't', nowMs: 2, reason: '' }), code('model.mismatch'));
  assert.equal(registry.show('m').card.id, bundles[0]!.id);
  assert.equal(registry.list()[0]?.problem, undefined);
});

test("the command line trains, evaluates, promotes, and ends with the contract's exit codes", async () => {
  const data = kddFile(400);
  const out = join(root, 'cli');
  const trained = await cli('train', '--data', data, '--algorithm', 'random-forest', '--trees', '5', '--out', out);
  assert.equal(trained.code, 0, trained.stderr);
  assert.match(trained.stdout, /held-out \(\d+ rows\): recall/);
  const evaluated = await cli('evaluate', '--model', out, '--data', data, '--json');
  assert.equal(evaluated.code, 0, evaluated.stderr);
  assert.ok(JSON.parse(evaluated.stdout).metrics.recall > 0.9);
  const promoted = await cli('model', 'promote', out, '--models', join(root, 'cli-models'));
  assert.equal(promoted.code, 0, promoted.stderr);
  assert.match((await cli('model', 'list', '--models', join(root, 'cli-models'))).stdout, /random-forest/);
  const oneClass = join(root, 'one.txt');
  writeFileSync(oneClass, readFileSync(data, 'utf8').replaceAll('neptune', 'normal'));
  const refused = await cli('train', '--data', oneClass, '--algorithm', 'svm', '--out', join(root, 'never'));
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /All rows are benign/);
  assert.equal(existsSync(join(root, 'never')), false);
  assert.equal((await cli('train', '--data', data, '--algorithm', 'magic', '--out', out)).code, 2);
});

test('training killed in the middle leaves the model that was there, and the child reports why', async () => {
  const out = join(root, 'killed');
  writeBundle(out, bundles[0]!.files);
  const abort = new AbortController();
  const steps: string[] = [];
  const run = trainInChild({
    main,
    args: ['train', '--data', kddFile(3000), '--algorithm', 'random-forest', '--trees', '5000', '--out', out],
    maxHeapMiB: 512,
    signal: abort.signal,
    onProgress: (step, done) => {
      steps.push(step);
      if (step === 'training' && done > 0) abort.abort();
    },
  });
  await assert.rejects(run);
  assert.ok(steps.includes('training'));
  assert.equal(openBundle(out).card.id, bundles[0]!.id);
  await assert.rejects(
    trainInChild({
      main,
      args: ['train', '--data', join(root, 'absent.csv'), '--algorithm', 'svm', '--out', out],
      maxHeapMiB: 256,
    }),
    (e) => e instanceof AppError && e.kind === 'user' && /absent\.csv/.test(e.message),
  );
});
