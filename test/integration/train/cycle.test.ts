import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, mock } from 'node:test';
import type { TrainingReport } from '../../../src/contract/http.js';
import { createLearning, type Learning } from '../../../src/daemons/server/training-parts.js';
import { modelFolders } from '../../../src/daemons/model-folders.js';
import { createScorer, type Scorer } from '../../../src/detect/scoring/index.js';
import type { Detection } from '../../../src/domain/detection.js';
import type { SiemEvent } from '../../../src/domain/siem-event.js';
import { FLOW_SCHEMA } from '../../../src/features/index.js';
import { openStore, type Store, type StoredLabel } from '../../../src/store/index.js';
import { trainModel, trainOptionsSchema } from '../../../src/train/index.js';
import { createRandom } from '../../../src/train/random.js';
import { silentLogger } from '../../../src/util/logger.js';
import { uuid7 } from '../../../src/util/uuid7.js';
import { flowColumns } from '../../unit/detect/classify/scorer-fixtures.js';
import { configIn, flowVector, writeBase, type Kind } from './support.js';

const HOUR_MS = 3_600_000;
const TRAINED_MS = Date.UTC(2026, 0, 1);
const ANALYST = { name: 'ada', kind: 'user', address: '127.0.0.1' } as const;

/**
 * A night of the box: labels in the store, a champion that scores, and a clock that the test moves. The champion has
 * never seen password guessing; the labels show it.
 */
describe('the nightly cycle', { timeout: 300_000 }, () => {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-training-'));
  const random = createRandom(7);
  const events: SiemEvent[] = [];
  let clock = TRAINED_MS + 24 * HOUR_MS;
  let store: Store;
  let learning: Learning;
  let live: LiveScoring;

  before(async () => {
    const base = join(dir, 'base.parquet');
    writeBase(base, { benign: 900, port_scan: 400, flood: 400 }, 1);
    const champion = trainOptionsSchema.parse({
      data: [base],
      algorithm: 'random-forest',
      out: join(dir, 'shipped', 'guard'),
      classes: 'label',
      trees: 15,
      falsePositiveBudget: 0.02,
      balance: 'weights',
    });
    await trainModel(champion, { trainedMs: TRAINED_MS, repeatable: true });
    const config = await configIn(
      dir,
      [
        'detect:',
        `  models: { models: ['${join(dir, 'shipped', 'guard')}'], samples_per_flush: 500 }`,
        'training:',
        `  base: ['${base}']`,
        '  min_new_labels: 40',
        '  shadow_rows: 200',
        '  shadow_minutes: 5',
        '  keep_one_in: 1',
      ].join('\n'),
    );
    store = await openStore({ path: join(dir, 'store.db'), thread: false });
    live = await openLiveScoring(config.detect.models, dir);
    learning = createLearning(config, {
      store,
      log: silentLogger,
      reloadSensors: () => void live.reload(),
      publish: () => undefined,
      toSiem: (event) => events.push(event),
      now: () => clock,
      main: join(import.meta.dirname, '../../../src/cli/main.ts'),
    });
    await learning.training.open();
  });
  after(async () => {
    await learning.training.close();
    await live.close();
    await store.close();
    rmSync(dir, { recursive: true, force: true });
  });

  async function label(kind: Kind, n: number, change: Partial<StoredLabel> = {}): Promise<void> {
    for (let i = 0; i < n; i++) {
      await store.labels.add({
        id: uuid7(),
        alertId: uuid7(),
        verdict: kind === 'benign' ? 'false_positive' : 'true_positive',
        user: i % 2 === 0 ? 'ada' : 'bob',
        createdMs: (clock += 1000),
        alertLabel: kind,
        source: `198.51.100.${i % 200}`,
        features: { schema: 'flow', values: flowVector(kind, random) },
        ...change,
      });
    }
  }

  const last = async (): Promise<TrainingReport> => {
    const { items } = await store.training.list({ limit: 1 });
    return (await store.training.get(items[0]!.id))!;
  };
  const championId = (): string => learning.models.champion('guard').card.id;

  it('does not train while there is too little to learn from, and says so', async () => {
    await label('brute_force', 10);
    await learning.training.nightly();
    assert.deepEqual((await store.training.list({ limit: 5 })).items, []);
    const [model] = (await learning.training.status()).models;
    assert.equal(model?.blockedBy, '10 of 40 new labels');
  });

  it('refuses a worse challenger and leaves the champion alone', async () => {
    const before = championId();
    // Somebody calls scans and floods benign and benign flows scans: what a poisoner would do.
    for (const kind of ['port_scan', 'flood'] as const) await label(kind, 150, { verdict: 'false_positive' });
    await label('benign', 150, { verdict: 'true_positive', class: 'port_scan' });
    const run = await learning.training.start({ model: 'guard' }, ANALYST);
    const report = await ended(learning, store, run.id);
    assert.equal(report.state, 'refused', report.summary);
    const failed = report.gate!.checks.filter((c) => !c.passed).map((c) => c.name);
    assert.ok(failed.length > 0, 'a check names the reason');
    assert.equal(championId(), before);
    assert.ok(!existsSync(join(dir, 'training', run.id)), 'its files are gone');
    assert.ok(events.some((e) => e.kind === 'health' && /refused/.test(e.message)));
  });

  it('trains at the hour of the schedule, and suggests a better challenger after it scored in the shadow', async () => {
    // The poisoner's labels are corrected: the last word on an alert counts.
    for (const old of await store.labels.since(0, 10_000)) {
      if (old.alertLabel !== 'brute_force')
        await store.labels.add({ ...old, id: uuid7(), verdict: 'unsure', createdMs: old.createdMs });
    }
    await label('brute_force', 200);
    await label('benign', 200);
    const ran = await atHalfPastThree(learning);
    assert.equal(ran.trigger, 'schedule');
    const report = await ended(learning, store, ran.id);
    assert.equal(report.state, 'shadow', `${report.summary} ${JSON.stringify(report.gate?.checks)}`);
    const brute = report.families.find((f) => f.set === 'recent' && f.family === 'brute_force')!;
    assert.ok(brute.challenger > brute.champion + 0.3, JSON.stringify(brute));
    assert.notEqual(championId(), report.challenger, 'the champion still reports');

    const reported = live.detections.length;
    await live.score(300, random);
    learning.onScoring({ type: 'scoring', ...live.report() }, 'box');
    learning.training.tick();
    assert.equal(
      (await learning.training.current(ran.id))?.state,
      'shadow',
      'rows alone are not enough: time must pass',
    );
    clock += 10 * 60_000;
    learning.training.tick();
    await until(() => learning.training.current(ran.id)?.state === 'suggested');
    const status = await learning.training.status();
    assert.equal(status.suggested?.id, ran.id);
    const shadow = learning.models.get('guard').shadow!;
    assert.equal(shadow.rows, 300);
    assert.ok(live.detections.length > reported, 'the champion reports all the while');
    assert.ok(
      live.detections.every((d) => d.metadata?.['model_id']?.[0] === championId()),
      'and it alone',
    );
  });

  it('promotes it when a person says so, keeps scoring, and rolls back', async () => {
    const old = championId();
    const { challenger } = await last();
    const guessing = (): number[] => flowVector('brute_force', createRandom(99));
    const before = await live.scoreOne(guessing());
    const detail = await learning.control.models.promote('guard', challenger, 'better', ANALYST);
    assert.equal(detail.card.id, challenger);
    assert.equal((await until(last, (r) => r.state === 'promoted')).state, 'promoted');
    await live.settled();
    const promoted = await live.scoreOne(guessing());
    assert.ok(promoted > before + 0.2, `score of a guess: ${before} before, ${promoted} after`);
    assert.deepEqual(detail.history.map((h) => h.by), ['ada', 'shipped']); // prettier-ignore
    assert.equal(detail.canRollBack, true);

    const back = await learning.control.models.rollback('guard', 'second thoughts', ANALYST);
    assert.equal(back.card.id, old);
    await live.settled();
    assert.equal(await live.scoreOne(guessing()), before, 'scores are those of the old champion again');
    assert.equal(live.stats()['shed_rows'], 0, 'no row was lost over three swaps');
    assert.equal(live.stats()['models_refused'], 0);
  });

  it('a run that is cancelled, or killed, changes nothing and says so', async () => {
    const id = championId();
    const run = await learning.training.start({ model: 'guard' }, ANALYST);
    await assert.rejects(learning.training.start({ model: 'guard' }, ANALYST), { code: 'training.conflict' });
    const cancelled = await learning.training.cancel(run.id);
    assert.equal(cancelled.state, 'cancelled');
    assert.equal(championId(), id);
    assert.deepEqual(existsSync(join(dir, 'training')) ? readdirSync(join(dir, 'training')) : [], []);
  });

  it('a run under way when the server dies is reported at the next start', async () => {
    const { id, ...rest } = await last();
    await store.training.save({ ...rest, id: uuid7(), state: 'running', finishedMs: 0, startedMs: (clock += 1000) });
    await learning.training.close();
    await learning.training.open();
    const report = await last();
    assert.equal(report.state, 'failed');
    assert.equal(report.error?.code, 'training.interrupted');
    assert.notEqual(report.id, id);
  });
});

/** Moves the clock of the schedule to its hour; returns the run that it began. */
async function atHalfPastThree(learning: Learning) {
  await learning.training.close();
  const night = new Date();
  night.setHours(3, 29, 58, 0);
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: night });
  try {
    await learning.training.open();
    for (let i = 0; i < 5; i++) {
      mock.timers.tick(1000);
      await Promise.resolve();
    }
  } finally {
    mock.timers.reset();
  }
  const status = await until(
    () => learning.training.status(),
    (s) => s.running !== null,
  );
  return status.running!;
}

async function ended(learning: Learning, store: Store, id: string): Promise<TrainingReport> {
  const report = await until(
    async () => (await learning.training.current(id)) ?? (await store.training.get(id)),
    (r) => r !== undefined && r.state !== 'running',
  );
  await until(async () => (await learning.training.status()).running === null);
  return report!;
}

async function until<T>(read: () => T | Promise<T>, ok: (value: T) => boolean = Boolean): Promise<T> {
  for (const end = performance.now() + 200_000; ;) {
    const value = await read();
    if (ok(value)) return value;
    if (performance.now() > end) throw new Error('waited too long');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

interface LiveScoring {
  detections: Detection[];
  reload(): Promise<void>;
  /** Resolves when the last reload is done. */
  settled(): Promise<void>;
  score(rows: number, random: ReturnType<typeof createRandom>): Promise<void>;
  scoreOne(values: readonly number[]): Promise<number>;
  report(): ReturnType<Scorer['takeReport']>;
  stats(): Record<string, number>;
  close(): Promise<void>;
}

/** The scoring of the sensor, as its daemon wires it. */
async function openLiveScoring(
  options: { models: string[]; enabled: boolean } & Parameters<typeof createScorer>[0],
  dataDir: string,
): Promise<LiveScoring> {
  const { enabled: _enabled, ...scoring } = options;
  const detections: Detection[] = [];
  let lastScore = NaN;
  let championScores = 0;
  const folders = () => modelFolders(options.models, dataDir);
  const scorer = createScorer(
    { ...scoring, models: folders().map((f) => f.dir) },
    {
      emit: (d) => detections.push(d),
      log: silentLogger,
      schemas: [FLOW_SCHEMA],
      sensor: 'test',
      onScores(_bundle, scores, rows) {
        lastScore = scores.score[rows - 1]!;
        championScores += rows;
      },
    },
  );
  await scorer.start();
  let reloading: Promise<unknown> = Promise.resolve();
  const flows = flowColumns(1);
  const push = (values: readonly number[]): void => {
    assert.ok(scorer.push({ schema: 'flow', moment: 'end', values: Float32Array.from(values) }, flows, 0));
  };
  return {
    detections,
    async reload() {
      const list = folders();
      reloading = reloading.then(
        () =>
        scorer.reload(list.map((f) => f.dir), list.flatMap((f) => (f.challenger ? [{ dir: f.challenger, of: f.dir }] : []))), // prettier-ignore
      );
      await reloading;
    },
    settled: async () => void (await reloading),
    async score(rows, random) {
      await reloading;
      for (let i = 0; i < rows; i++) {
        push(flowVector(i % 10 === 0 ? 'port_scan' : 'benign', random));
        if (i % 50 === 49) await scorer.drain();
      }
      await scorer.drain();
      assert.ok(championScores >= rows);
    },
    async scoreOne(values) {
      push(values);
      await scorer.drain();
      return lastScore;
    },
    report: () => scorer.takeReport(),
    stats: () => scorer.stats(),
    close: () => scorer.close(),
  };
}
