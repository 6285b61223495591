import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createModelBook } from '../../../src/daemons/server/models.js';
import { rescoreAlerts } from '../../../src/daemons/backtest/rescore.js';
import { modelFolders } from '../../../src/daemons/model-folders.js';
import { sampleAlert } from '../store/samples.js';

const SHIPPED = 'models/flow-classifier';
const dir = mkdtempSync(join(tmpdir(), 'portcullis-model-folders-'));
after(() => rmSync(dir, { recursive: true, force: true }));

interface Card {
  schema: { hash: string; features: unknown[] };
}

/** A data folder in which a model was promoted; `hash` of its feature schema instead of that of the shipped one. */
function promoted(name: string, hash?: string): string {
  const dataDir = join(dir, name);
  const folder = join(dataDir, 'models', 'flow-classifier');
  mkdirSync(folder, { recursive: true });
  cpSync(SHIPPED, folder, { recursive: true });
  const card = JSON.parse(readFileSync(join(folder, 'card.json'), 'utf8')) as Card;
  if (hash !== undefined) card.schema.hash = hash;
  writeFileSync(join(folder, 'card.json'), JSON.stringify(card));
  return dataDir;
}

test('a promoted model takes the place of the shipped one, unless an update brought other features', () => {
  const same = promoted('same');
  assert.deepEqual(modelFolders([SHIPPED], same), [
    { name: 'flow-classifier', dir: join(same, 'models', 'flow-classifier') },
  ]);
  const old = promoted('old', 'f'.repeat(64));
  assert.deepEqual(modelFolders([SHIPPED], old), [
    { name: 'flow-classifier', dir: SHIPPED, outdated: join(old, 'models', 'flow-classifier') },
  ]);
});

test('a folder of bundles stands for those in it that score by default', () => {
  const folder = join(dir, 'several');
  for (const name of ['flow-classifier', 'flow-isolation', 'flow-autoencoder', 'kdd-classifier'])
    cpSync(join('models', name), join(folder, name), { recursive: true });
  mkdirSync(join(folder, 'no-bundle'));
  const given = modelFolders([folder]).map((m) => m.name);
  assert.deepEqual(given.sort(), ['flow-classifier', 'flow-isolation']);
  assert.deepEqual(modelFolders([]).map((m) => m.name).sort(), given, 'those that are shipped'); // prettier-ignore
  for (const other of [join(dir, 'nowhere'), join(folder, 'no-bundle'), join(folder, 'flow-isolation', 'card.json')])
    assert.deepEqual(modelFolders([other]).map((m) => m.dir), [other], 'what is none is named in the message'); // prettier-ignore
});

test('after an update the shipped model is the champion, and an outdated one is not offered', () => {
  const book = createModelBook({
    configured: [SHIPPED],
    dataDir: promoted('book', 'f'.repeat(64)),
    keepVersions: 5,
    reload: () => undefined,
    shadowOf: () => null,
    promoted: () => undefined,
  });
  assert.equal(book.champion('flow-classifier').dir, SHIPPED);
  assert.deepEqual(
    book.list().map((m) => m.state),
    ['champion'],
  );
});

test('alerts whose vectors have other columns than the model are not judged again, and counted', async () => {
  const { length } = (JSON.parse(readFileSync(join(SHIPPED, 'card.json'), 'utf8')) as Card).schema.features;
  const alert = (columns: number) => ({
    ...sampleAlert(),
    tiers: ['classification' as const],
    features: { schema: 'flow', values: new Array<number>(columns).fill(0) },
  });
  const old = await rescoreAlerts(SHIPPED, [alert(length - 1)]);
  assert.deepEqual({ rescored: old.rescored, otherSchema: old.otherSchema, changed: old.changed.size }, { rescored: 0, otherSchema: 1, changed: 0 }); // prettier-ignore
  const now = await rescoreAlerts(SHIPPED, [alert(length)]);
  assert.deepEqual({ rescored: now.rescored, otherSchema: now.otherSchema }, { rescored: 1, otherSchema: 0 });
});
