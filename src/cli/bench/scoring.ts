import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchFigure, BenchSection } from './section.js';
import { startWorker } from './worker-process.js';

/** What the scoring task answers. */
interface Answer {
  trainCpuSecs: number;
  trainMiB: number;
  rows: number;
  columns: number;
  rowsPerCpuSec: number;
  flowsPerSec: number;
  latencyP50Ms: number;
  latencyP99Ms: number;
  shed: number;
  autoencoderRowsPerCpuSec: number;
  tables: { x: string; y: string };
}

/** The same training in Debian's python3-xgboost: one thread, histogram method, leaf-wise. */
const XGBOOST = `
import sys, time, resource, numpy, xgboost
rows, columns, xs, ys = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
x = numpy.fromfile(xs, dtype=numpy.float32).reshape(rows, columns)
y = numpy.fromfile(ys, dtype=numpy.uint8).astype(numpy.float32)
p = dict(objective='binary:logistic', tree_method='hist', grow_policy='lossguide', max_leaves=63, max_depth=0, max_bin=255, eta=0.1, nthread=1)
best = 1e9
for _ in range(3):
    start = time.process_time()
    xgboost.train(p, xgboost.DMatrix(x, y), 100)
    best = min(best, time.process_time() - start)
print(best, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
`;

/** The distribution's own interpreter first: python3-xgboost installs for it, whatever `python3` of the path may be. */
const INTERPRETERS = ['/usr/bin/python3', 'python3'];

function trainWithXgboost(args: readonly string[]): { secs: number; mib: number } | undefined {
  for (const python of INTERPRETERS) {
    const run = spawnSync(python, args, { encoding: 'utf8', timeout: 90_000 });
    const [secs = NaN, mib = NaN] = run.stdout?.trim().split(' ').map(Number) ?? [];
    if (run.status === 0 && Number.isFinite(secs)) return { secs, mib };
  }
  return undefined;
}

/** Boosted trees: rows a second, latency that scoring adds to a flow, and training against XGBoost. */
export const scoringSection: BenchSection = {
  name: 'scoring',
  title: 'Model scoring and training',
  async run({ dir, progress }, skip) {
    progress('training, then 20,000 flows a second');
    const worker = startWorker('scoring', { dir, flowsPerSec: 20_000, secs: 8 });
    const a = (await worker.next()) as unknown as Answer;
    const figures: BenchFigure[] = [
      {
        name: 'scoring_rows_per_core',
        value: a.rowsPerCpuSec,
        unit: 'rows/s',
        text: `100 trees of 63 leaves, ${a.columns} features, batches of 128, a CPU second (aim: 100,000)`,
      },
      {
        name: 'scoring_latency_p50',
        value: a.latencyP50Ms,
        unit: 'ms',
        text: `from a flow's vector to its score at ${Math.round(a.flowsPerSec)} flows/s, scoring in its thread`,
      },
      { name: 'scoring_latency_p99', value: a.latencyP99Ms, unit: 'ms', text: 'the same (aim: at most 5)' },
      { name: 'scoring_shed', value: a.shed, unit: 'rows', text: 'rows left out because scoring was behind' },
      {
        name: 'training_boosting_cpu',
        value: a.trainCpuSecs,
        unit: 's',
        text: `CPU time, ${a.rows} rows of ${a.columns} features, 100 rounds of 63 leaves, best of 3`,
      },
      {
        name: 'training_boosting_memory',
        value: a.trainMiB,
        unit: 'MiB',
        text: 'largest resident size of the process',
      },
      {
        name: 'training_autoencoder',
        value: a.autoencoderRowsPerCpuSec,
        unit: 'rows/s',
        text: 'rows times epochs of autoencoder training, a CPU second',
      },
    ];
    progress('the same training in xgboost');
    const script = join(dir, 'train.py');
    writeFileSync(script, XGBOOST);
    const args = [script, String(a.rows), String(a.columns), a.tables.x, a.tables.y];
    const peer = trainWithXgboost(args);
    if (peer === undefined) {
      skip('xgboost: install python3-xgboost to compare with it');
      return figures;
    }
    const { secs, mib } = peer;
    return [
      ...figures,
      {
        name: 'training_xgboost_cpu',
        value: secs,
        unit: 's',
        text: 'XGBoost hist, one thread, same table and settings, best of 3',
      },
      { name: 'training_xgboost_memory', value: mib, unit: 'MiB', text: 'its largest resident size' },
      {
        name: 'training_cpu_ratio',
        value: a.trainCpuSecs / secs,
        unit: '',
        text: 'CPU time against XGBoost (aim: at most 1.5)',
      },
      {
        name: 'training_memory_ratio',
        value: a.trainMiB / mib,
        unit: '',
        text: 'memory against XGBoost (aim: at most 2)',
      },
    ];
  },
};
