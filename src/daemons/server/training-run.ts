import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installRoot } from '../../config/index.js';
import type { TrainingReport, TrainingRequest } from '../../contract/http.js';
import type { Store } from '../../store/index.js';
import {
  challengeResultSchema,
  trainInChild,
  type ChallengeOptions,
  type ChallengeResult,
  type TrainingOptions,
} from '../../train/index.js';
import { AppError, errorCode, errorMessage } from '../../util/errors.js';
import { uuid7 } from '../../util/uuid7.js';
import type { ModelBook } from './models.js';
import { gatherLiveData, writeLiveData } from './training-data.js';

/** Feature table every run starts from, below the install folder. */
const SHIPPED_BASE = join('models', 'base', 'flow.parquet');

export interface RunDeps {
  store: Store;
  models: ModelBook;
  options: TrainingOptions;
  dataDir: string;
  /** Entry of the command line, which trains. */
  main: string;
  /** The report of a run under way has changed. */
  changed(report: TrainingReport): void;
  now(): number;
}

/** Folder of a run while it is needed: data for the child, its bundle and its verdict. */
export function runFolder(dataDir: string, id: string): string {
  return join(dataDir, 'training', id);
}

export function removeRunFolder(dataDir: string, id: string): void {
  rmSync(runFolder(dataDir, id), { recursive: true, force: true });
}

/** The report of a run that begins. */
export function newReport(
  request: TrainingRequest,
  about: { champion: string; algorithm: string; trigger: TrainingReport['trigger']; actor: string; nowMs: number },
): TrainingReport {
  return {
    id: uuid7(about.nowMs),
    model: request.model,
    algorithm: request.algorithm ?? about.algorithm,
    trigger: about.trigger,
    actor: about.actor,
    state: 'running',
    summary: 'It trains.',
    startedMs: about.nowMs,
    finishedMs: 0,
    progress: { step: 'collecting', done: 0, total: 0 },
    champion: about.champion,
    challenger: '',
    data: null,
    gate: null,
    families: [],
    falseAlarms: [],
    shadow: null,
    error: null,
  };
}

/**
 * Collects the data, trains the challenger in a process of its own and puts the gate's verdict into the report. Nothing
 * that scores is touched. Never throws: what goes wrong is in the report.
 * @returns true when the challenger is better by the gate.
 */
export async function trainChallenger(
  report: TrainingReport,
  request: TrainingRequest,
  deps: RunDeps,
  signal: AbortSignal,
): Promise<boolean> {
  const dir = runFolder(deps.dataDir, report.id);
  try {
    mkdirSync(dir, { recursive: true, mode: 0o750 });
    const options = await prepare(dir, report, request, deps);
    const verdict = join(dir, 'verdict.json');
    writeFileSync(join(dir, 'challenge.json'), JSON.stringify(options));
    await trainInChild({
      main: deps.main,
      args: ['model', 'challenge', join(dir, 'challenge.json'), '--report', verdict],
      maxHeapMiB: deps.options.maxHeapMiB,
      signal,
      onProgress(step, done, total) {
        report.progress = { step, done, total };
        deps.changed(report);
      },
    });
    const result = challengeResultSchema.parse(JSON.parse(readFileSync(verdict, 'utf8')));
    take(report, result);
    return result.gate.promote;
  } catch (error) {
    report.state = error instanceof AppError && error.code === 'train.cancelled' ? 'cancelled' : 'failed';
    report.error = runProblem(error);
    report.summary = report.error.message;
    return false;
  } finally {
    report.progress = null;
    report.finishedMs = deps.now();
  }
}

/** What went wrong with a run, for its report. */
export function runProblem(error: unknown): NonNullable<TrainingReport['error']> {
  if (isDiskFull(error)) {
    return {
      code: 'training.disk_full',
      message: `${errorMessage(error)} The champion was not touched.`,
      fix: 'Free space in data_dir and start it again.',
    };
  }
  const problem = error instanceof AppError ? error : undefined;
  return {
    code: problem?.code ?? 'train.child_failed',
    message: problem?.message ?? errorMessage(error),
    fix: problem?.fix ?? '',
  };
}

/** Here, or in the child, whose error is text. */
function isDiskFull(error: unknown): boolean {
  return errorCode(error) === 'ENOSPC' || /ENOSPC|no space left/i.test(errorMessage(error));
}

async function prepare(
  dir: string,
  report: TrainingReport,
  request: TrainingRequest,
  { store, models, options, now }: RunDeps,
): Promise<ChallengeOptions> {
  const champion = models.champion(report.model);
  const base = options.base.length > 0 ? options.base : [join(installRoot(), SHIPPED_BASE)];
  const missing = base.find((path) => !existsSync(path));
  if (missing !== undefined) {
    throw new AppError({
      kind: 'operational',
      code: 'training.no_base',
      message: `The base feature table ${missing} is not there.`,
      fix: 'It is shipped in models/base; or name your own under training.base (made by `portcullis features`).',
    });
  }
  const live = await gatherLiveData(store, options, {
    schema: champion.card.schema.name,
    nowMs: now(),
  });
  const path = join(dir, 'live.jsonl');
  writeLiveData(path, live.vectors);
  return {
    champion: champion.dir,
    base,
    live: path,
    out: join(dir, 'bundle'),
    ...(request.algorithm === undefined ? {} : { algorithm: request.algorithm }),
    minNewLabels: options.minNewLabels,
    maxLabelWeight: options.maxLabelWeight,
    maxLabelShare: options.maxLabelShare,
    maxLabellerShare: options.maxLabellerShare,
    contradictedLabels: options.contradictedLabels,
    maxRows: options.maxRows,
    seed: 1,
  };
}

function take(report: TrainingReport, result: ChallengeResult): void {
  report.challenger = result.challenger;
  report.data = result.data;
  report.gate = result.gate;
  report.families = result.families;
  report.falseAlarms = result.falseAlarms;
  const failed = result.gate.checks.filter((c) => !c.passed);
  if (failed.length === 0) return;
  report.state = 'refused';
  report.summary = `Not better than the champion: ${failed.map((c) => `${c.name} (${c.detail})`).join('; ')}.`;
}
