import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { TrainingReport } from '../../../src/contract/http.js';
import { createLearning, type Learning } from '../../../src/daemons/server/training-parts.js';
import { openStore, type Store } from '../../../src/store/index.js';
import { openBundle, trainModel, trainOptionsSchema } from '../../../src/train/index.js';
import { createRandom } from '../../../src/train/random.js';
import { silentLogger } from '../../../src/util/logger.js';
import { uuid7 } from '../../../src/util/uuid7.js';
import { ourFile } from '../../support/program.js';
import { configIn, flowVector, writeBase, type Kind } from './support.js';

const ADA = { name: 'ada' };

/** What can go wrong in a training run: each ends with a clear report, and the champion scores on. */
describe('training runs that cannot work out', { timeout: 600_000 }, () => {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-bad-runs-'));
  const shipped = join(dir, 'shipped', 'guard');
  const base = join(dir, 'base.parquet');
  let store: Store;
  let championId: string;

  before(async () => {
    writeBase(base, { benign: 400, port_scan: 200, flood: 200 }, 3);
    const options = trainOptionsSchema.parse({
      data: [base], algorithm: 'random-forest', out: shipped, classes: 'label', trees: 5, falsePositiveBudget: 0.02,
    }); // prettier-ignore
    championId = (await trainModel(options, { trainedMs: 1, repeatable: true })).id;
    store = await openStore({ path: join(dir, 'store.db'), thread: false });
    const random = createRandom(1);
    for (let i = 0; i < 120; i++) {
      const kind: Kind = i % 2 === 0 ? 'benign' : 'port_scan';
      await store.labels.add({
        id: uuid7(), alertId: uuid7(), verdict: kind === 'benign' ? 'false_positive' : 'true_positive', user: 'ada',
        createdMs: 1000 + i, alertLabel: kind, source: `198.51.100.${i}`,
        features: { schema: 'flow', values: i === 7 ? [1, 2, 3] : flowVector(kind, random) },
      }); // prettier-ignore
    }
  });
  after(async () => {
    await store.close();
    rmSync(dir, { recursive: true, force: true });
  });

  /** Runs one training with these settings; the champion must be the same before and after. */
  async function run(name: string, training: string, inside?: (learning: Learning) => void): Promise<TrainingReport> {
    const data = join(dir, name);
    mkdirSync(data, { recursive: true });
    const config = await configIn(
      data,
      `detect:\n  models: { models: ['${shipped}'] }\ntraining: { enabled: false, ${training} }`,
    );
    const learning = createLearning(config, {
      store,
      log: silentLogger,
      reloadSensors: () => undefined,
      publish: () => undefined,
      toSiem: () => undefined,
      main: ourFile('src/cli/main.ts'),
    });
    const { id } = await learning.training.start({ model: 'guard' }, ADA);
    inside?.(learning);
    for (const end = performance.now() + 120_000; ;) {
      const report = (await learning.training.current(id)) ?? (await store.training.get(id));
      if (report && report.state !== 'running' && (await learning.training.status()).running === null) {
        await learning.training.close();
        return report;
      }
      if (performance.now() > end) throw new Error('waited too long');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  const failsWith = (report: TrainingReport, code: string, message: RegExp): void => {
    assert.equal(report.state, 'failed', report.summary);
    assert.equal(report.error?.code, code, report.error?.message);
    assert.match(report.error?.message ?? '', message);
    assert.equal(openBundle(shipped).card.id, championId, 'the champion is whole');
  };

  it('a base table that is not there is named', async () => {
    failsWith(await run('no-base', `base: ['${join(dir, 'gone.parquet')}']`), 'training.no_base', /gone\.parquet/);
  });

  it('a base table without the columns is refused by the child, and the report says which lack', async () => {
    const path = join(dir, 'narrow.csv');
    writeFileSync(path, 'duration,label\n1,benign\n');
    failsWith(await run('narrow', `base: ['${path}']`), 'train.child_failed', /narrow\.csv lacks the columns/);
  });

  it('a base table cut short is refused as damaged', async () => {
    const path = join(dir, 'cut.parquet');
    writeFileSync(path, readFileSync(base).subarray(0, 5000));
    failsWith(await run('cut', `base: ['${path}']`), 'train.child_failed', /Cannot read cut\.parquet/);
  });

  it('a base table of one class teaches nothing and says so', async () => {
    const path = join(dir, 'benign.parquet');
    writeBase(path, { benign: 300 }, 4);
    const report = await run('one-class', `base: ['${path}']`);
    assert.notEqual(report.state, 'promoted');
    assert.ok(report.state === 'failed' || report.state === 'refused', report.state);
    assert.match(report.summary, /class|regression|recent|labels/);
  });

  it('a label whose vector has another width is left out and counted', async () => {
    const report = await run('width', `base: ['${base}'], min_new_labels: 10`);
    assert.equal(report.data?.labelsLeftOut, 1, report.summary);
    assert.equal(report.data?.labels, 119);
  });

  it(
    'a full disk ends the run, and the champion stays',
    { skip: process.getuid?.() !== 0 && 'mounting needs root' },
    async () => {
      const folder = join(dir, 'full', 'training');
      mkdirSync(folder, { recursive: true });
      assert.equal(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=300k', 'tmpfs', folder]).status, 0);
      try {
        failsWith(await run('full', `base: ['${base}']`), 'training.disk_full', /no space|could not be written/i);
      } finally {
        spawnSync('umount', [folder]);
      }
    },
  );

  it('a run whose process is killed in the middle says so, leaves nothing, and the champion stays', async () => {
    const children = `/proc/${process.pid}/task/${process.pid}/children`;
    const mine = (): number[] => readFileSync(children, 'utf8').split(' ').filter(Boolean).map(Number);
    const others = mine();
    const report = await run('killed', `base: ['${base}']`, () => {
      const watch = setInterval(() => {
        const child = mine().find((pid) => !others.includes(pid));
        if (child === undefined) return;
        clearInterval(watch);
        process.kill(child, 'SIGKILL');
      }, 5);
    });
    failsWith(report, 'train.out_of_memory', /was stopped \(SIGKILL\); the model in use was not changed/);
    assert.deepEqual(readdirSync(join(dir, 'killed', 'training')), []);
  });

  it('a champion whose card and model disagree is not trained against', async () => {
    appendFileSync(join(shipped, 'model.onnx'), 'x');
    const data = join(dir, 'disagree');
    mkdirSync(data);
    const config = await configIn(data, `detect:\n  models: { models: ['${shipped}'] }`);
    const deps = {
      store, log: silentLogger, reloadSensors: () => undefined, publish: () => undefined, toSiem: () => undefined,
    }; // prettier-ignore
    const learning = createLearning(config, deps);
    await assert.rejects(async () => learning.training.start({ model: 'guard' }, ADA), {
      code: 'model.mismatch',
      message: /model\.onnx has another hash/,
    });
  });
});
