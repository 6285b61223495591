import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, mock } from 'node:test';
import type { ModelDetail, TrainingReport } from '../../../src/contract/http.js';
import { createLearning, type Learning } from '../../../src/daemons/server/training-parts.js';
import { modelFolders } from '../../../src/daemons/model-folders.js';
import { createScorer, type Scorer } from '../../../src/detect/scoring/index.js';
import type { Detection } from '../../../src/domain/detection.js';
import type { SiemEvent } from '../../../src/domain/siem-event.js';
import { FLOW_SCHEMA } from '../../../src/features/index.js';
import { openStore, type Store } from '../../../src/store/index.js';
import { trainModel, trainOptionsSchema } from '../../../src/train/index.js';
import { createRandom } from '../../../src/train/random.js';
import { silentLogger } from '../../../src/util/logger.js';
import { uuid7 } from '../../../src/util/uuid7.js';
import { ourFile } from '../../support/program.js';
import { flowColumns } from '../../unit/detect/classify/scorer-fixtures.js';
import { sampleAlert, sampleDecision } from '../../unit/store/samples.js';
import { openAnalysts, type Analysts, type Judgement } from './analysts.js';
import { configIn, flowVector, writeBase, type Kind } from './support.js';

const HOUR_MS = 3_600_000;
const TRAINED_MS = Date.UTC(2026, 0, 1);
const ANALYST = { name: 'ada', kind: 'user', address: '127.0.0.1' } as const;

/**
 * A night of the box: analysts who label alerts through the API, a champion that scores without a pause, and a clock that
 * the test moves. The champion has never seen password guessing; the labels show it.
 */
describe('the nightly cycle', { timeout: 600_000 }, () => {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-training-'));
  const random = createRandom(7);
  const poisoned: string[] = [];
  const events: SiemEvent[] = [];
  let clock = TRAINED_MS + 24 * HOUR_MS;
  let store: Store;
  let learning: Learning;
  let live: LiveScoring;
  let analysts: Analysts;

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
      main: ourFile('src/cli/main.ts'),
    });
    await learning.training.open();
    // Each word has its own time, so that which are the newest does not depend on chance.
    analysts = await openAnalysts(store, learning, dir, () => ++clock);
  });
  after(async () => {
    await analysts.close();
    await learning.training.close();
    await live.close();
    await store.close();
    rmSync(dir, { recursive: true, force: true });
  });

  /** Alerts about such flows, judged through the API by two analysts in turn; the answer is their ids. */
  async function label(kind: Kind, n: number, judgement: Judgement = judgementOf(kind)): Promise<string[]> {
    const alerts = Array.from({ length: n }, (_, i) => {
      clock += 1000;
      const features = { schema: 'flow', values: flowVector(kind, random) };
      const alertLabel = kind === 'benign' ? 'port_scan' : kind;
      return sampleAlert({
        offender: `198.51.100.${i % 200}`,
        label: alertLabel,
        tiers: ['classification'],
        features,
        firstMs: clock,
        lastMs: clock,
      });
    });
    for (const alert of alerts) store.alerts.queue({ alert });
    await store.flush();
    const ids = alerts.map((a) => a.id);
    for (const [i, name] of (['ada', 'bob'] as const).entries()) {
      const theirs = ids.filter((_, k) => k % 2 === i);
      await analysts.label(name, theirs, judgement);
    }
    return ids;
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

  it('counts what a person confirmed by blocking the offender as a label, unless they said otherwise', async () => {
    const features = { schema: 'flow', values: flowVector('brute_force', random) };
    const [blocked, judged] = ['203.0.113.50', '203.0.113.51'].map((offender) =>
      sampleAlert({ offender, label: 'ssh_brute_force', features, firstMs: clock, lastMs: clock }),
    );
    for (const alert of [blocked!, judged!]) {
      store.alerts.queue({ alert });
      const byHand = { origin: 'operator', actor: 'ada', createdMs: (clock += 1000), value: alert.offender } as const;
      await store.decisions.save({ decision: sampleDecision(byHand) });
    }
    await store.flush();
    const newLabels = async () => (await learning.training.status()).models[0]!.newLabels;
    assert.equal(await newLabels(), 12, 'ten judged, two blocked');
    await analysts.label('ada', [judged!.id], { verdict: 'unsure' });
    assert.equal(await newLabels(), 11, 'the word counts, not the deed');
  });

  it('refuses a worse challenger and leaves the champion alone', async () => {
    const before = championId();
    // Somebody calls scans and floods benign and benign flows scans: what a poisoner would do.
    for (const kind of ['port_scan', 'flood'] as const)
      poisoned.push(...(await label(kind, 150, { verdict: 'false_positive' })));
    poisoned.push(...(await label('benign', 150, { verdict: 'true_positive', class: 'port_scan' })));
    const scored = live.scored();
    const run = await analysts.ask<{ id: string }>('ada', 'POST', '/training/runs', { model: 'guard' });
    const report = await ended(learning, store, run.id);
    assert.ok(live.scored() > scored + 100, 'live flows were scored all the while');
    assert.equal(report.state, 'refused', report.summary);
    const failed = report.gate!.checks.filter((c) => !c.passed).map((c) => c.name);
    assert.ok(failed.length > 0, 'a check names the reason');
    assert.equal(championId(), before);
    assert.ok(!existsSync(join(dir, 'training', run.id)), 'its files are gone');
    assert.ok(events.some((e) => e.kind === 'health' && /refused/.test(e.message)));
  });

  it('trains at the hour of the schedule, and suggests a better challenger after it scored in the shadow', async () => {
    // The poisoner's labels are corrected: the last word on an alert counts.
    await analysts.label('ada', poisoned, { verdict: 'unsure' });
    await label('brute_force', 200);
    await label('benign', 300);
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
    assert.ok(shadow.rows >= 300);
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
    const body = { version: challenger, reason: 'better' };
    const detail = await analysts.ask<ModelDetail>('ada', 'POST', '/models/guard/promote', body);
    assert.equal(detail.card.id, challenger);
    assert.equal((await until(last, (r) => r.state === 'promoted')).state, 'promoted');
    await live.settled();
    const promoted = await live.scoreOne(guessing());
    assert.ok(promoted > before + 0.2, `score of a guess: ${before} before, ${promoted} after`);
    assert.deepEqual(detail.history.map((h) => h.by), ['ada', 'shipped']); // prettier-ignore
    assert.equal(detail.canRollBack, true);

    const back = await analysts.ask<ModelDetail>('ada', 'POST', '/models/guard/rollback', {
      reason: 'second thoughts',
    });
    assert.equal(back.card.id, old);
    await live.settled();
    assert.equal(await live.scoreOne(guessing()), before, 'scores are those of the old champion again');
    for (const what of [/promoted/, /rolled guard back/]) {
      assert.ok(
        events.some((e) => e.kind === 'health' && what.test(e.message)),
        `the SIEM hears: ${what.source}`,
      );
    }
    await live.quiet();
    assert.equal(live.scored(), live.pushed(), 'every flow was scored by the champion of its time');
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

/** Moves the wall clock over the hour of the schedule; returns the run that it began. */
async function atHalfPastThree(learning: Learning) {
  await learning.training.close();
  const night = new Date();
  night.setHours(3, 29, 58, 0);
  mock.timers.enable({ apis: ['Date'], now: night });
  try {
    await learning.training.open();
    learning.training.tick();
    assert.equal((await learning.training.status()).running, null, 'not before its hour');
    mock.timers.setTime(night.getTime() + 2000);
    learning.training.tick();
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

/** What an analyst who is right says. */
function judgementOf(kind: Kind): Judgement {
  return { verdict: kind === 'benign' ? 'false_positive' : 'true_positive' };
}

interface LiveScoring {
  detections: Detection[];
  /** Flows given to it, and scores of champions that came back. */
  pushed(): number;
  scored(): number;
  /** Stops the traffic that otherwise never ends, and resolves when all of it was scored. */
  quiet(): Promise<void>;
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
  let pushed = 0;
  let isQuiet = false;
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
    pushed++;
  };
  const background = createRandom(3);
  const traffic = setInterval(() => {
    if (!isQuiet) for (let i = 0; i < 3; i++) push(flowVector('benign', background));
  }, 20);
  async function quiet(): Promise<void> {
    isQuiet = true;
    await scorer.drain();
  }
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
      await quiet();
      push(values);
      await scorer.drain();
      isQuiet = false;
      return lastScore;
    },
    pushed: () => pushed,
    scored: () => championScores,
    quiet,
    report: () => scorer.takeReport(),
    stats: () => scorer.stats(),
    close() {
      clearInterval(traffic);
      return scorer.close();
    },
  };
}
