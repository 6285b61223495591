import assert from 'node:assert/strict';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { createScorer, scoringOptionsSchema } from '../../../../src/detect/scoring/index.js';
import { FLOW_SCHEMA, KDD_SCHEMA } from '../../../../src/features/index.js';
import { openBundle } from '../../../../src/train/index.js';
import { silentLogger } from '../../../../src/util/logger.js';
import { flowColumns } from './scorer-fixtures.js';

const ROOT = resolve('models');
const NAMES = readdirSync(ROOT).filter((name) => existsSync(join(ROOT, name, 'card.json')));
const MAX_BYTES = 1_500_000;

/** Scores one vector of zeros, and one whose flow is IGMP; the answer is how many scores came back by schema. */
async function scoreLive(name: string): Promise<{ scored: number; unscored: number }> {
  let scored = 0;
  const scorer = createScorer(scoringOptionsSchema.parse({ models: [join(ROOT, name)] }), {
    emit: () => undefined,
    log: silentLogger,
    schemas: [FLOW_SCHEMA, KDD_SCHEMA],
    sensor: 'test',
    onScores(_bundle, scores, rows) {
      assert.ok(scores.score.subarray(0, rows).every((s) => s >= 0 && s <= 1));
      scored += rows;
    },
  });
  assert.deepEqual(
    (await scorer.start()).map((r) => r.reason ?? ''),
    [''],
    'it loads',
  );
  const { card } = openBundle(join(ROOT, name));
  const flows = flowColumns(2);
  flows.proto[1] = 2;
  const vector = {
    schema: card.schema.name,
    moment: 'end' as const,
    values: new Float32Array(card.schema.features.length),
  };
  for (const slot of [0, 1]) assert.ok(scorer.push(vector, flows, slot));
  await scorer.drain();
  const unscored = scorer.stats()['unscored_rows']!;
  await scorer.close();
  return { scored, unscored };
}

test('a classifier, an isolation forest and an autoencoder are shipped for each live feature schema', () => {
  const kinds = NAMES.map((name) => openBundle(join(ROOT, name)).card).map((c) => `${c.schema.name} ${c.algorithm}`);
  const wanted = ['flow', 'kdd'].flatMap((s) =>
    ['random-forest', 'isolation-forest', 'autoencoder'].map((a) => `${s} ${a}`),
  );
  assert.deepEqual(kinds.sort(), wanted.sort());
});

for (const name of NAMES) {
  test(`${name} is whole, says what went into it, is small, and scores live flows of its schema but no IGMP`, async () => {
    const { card } = openBundle(join(ROOT, name));
    assert.match(card.description, /Trained on .*(laboratory|KDD Cup 1999)/);
    assert.equal(card.schema.hash.length, 64);
    const bytes = readdirSync(join(ROOT, name), { recursive: true, encoding: 'utf8' })
      .map((file) => statSync(join(ROOT, name, file)))
      .reduce((sum, info) => sum + (info.isFile() ? info.size : 0), 0);
    assert.ok(bytes < MAX_BYTES, `${bytes} bytes`);
    assert.deepEqual(await scoreLive(name), { scored: 1, unscored: 1 });
  });
}
