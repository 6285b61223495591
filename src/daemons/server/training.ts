import type { Actor } from '../../api/index.js';
import type { ModelDrift, TrainingReport, TrainingRequest, TrainingRun, TrainingStatus } from '../../contract/http.js';
import type { ScoredFlow, ShadowCount } from '../../contract/ipc.js';
import type { SiemHealthEvent } from '../../domain/siem-event.js';
import { AppError, errorMessage } from '../../util/errors.js';
import type { Logger } from '../../util/logger.js';
import { createChallengers } from './training-challengers.js';
import { countNewLabels } from './training-data.js';
import { createDriftAlarm } from './training-drift-alarm.js';
import { newReport, trainChallenger, type RunDeps } from './training-run.js';
import { createSampleKeeper } from './training-samples.js';
import { describeSetAside } from './training-set-aside.js';
import { createSchedule, type Schedule } from './training-schedule.js';

/** Progress of a run is told at most this often. */
const CHANGED_EVERY_MS = 500;

export interface TrainingDeps extends Omit<RunDeps, 'changed'> {
  log: Logger;
  /** A run began, moved on or ended. */
  publish(run: TrainingRun): void;
  toSiem(status: SiemHealthEvent['status'], component: string, message: string): void;
  /** The schedule is this server's; in a fleet one of several has it. */
  isScheduler?(): boolean;
}

/** Labels and live traffic in, challengers out: the schedule, one run at a time, the shadow, and what becomes of it. */
export interface Training {
  /** Takes up what the last stop of the server left, and starts the schedule. */
  open(): Promise<void>;
  status(): Promise<TrainingStatus>;
  current(id: string): TrainingReport | undefined;
  /** Resolves as soon as the run is under way. @throws AppError training.conflict, model.not_found */
  start(
    request: TrainingRequest,
    actor: Pick<Actor, 'name'>,
    trigger?: TrainingReport['trigger'],
  ): Promise<TrainingRun>;
  cancel(id: string): Promise<TrainingRun>;
  dismiss(id: string, reason: string, actor: Pick<Actor, 'name'>): Promise<TrainingRun>;
  /** What the schedule does. */
  nightly(): Promise<void>;
  onScoring(sensor: string, samples: readonly ScoredFlow[], shadow: readonly ShadowCount[]): void;
  shadowOf(model: string): TrainingReport['shadow'];
  /** A person promoted a version. */
  promoted(model: string, version: string, by: string): void;
  drift(): ModelDrift[];
  /** Once a second or so: the schedule, verdicts of the shadow, drift alarms. */
  tick(): void;
  metrics(): Record<string, number>;
  /** Resolves when a run that was under way has ended. */
  close(): Promise<void>;
}

export function createTraining(deps: TrainingDeps): Training {
  const { store, models, options, log, now, toSiem } = deps;
  const counts = { runs: 0, promoted: 0, refused: 0, failed: 0 };
  const drift = createDriftAlarm({ models, rows: options.driftRows, now, toSiem });
  const samples = createSampleKeeper(store, options, { log, now });
  const challengers = createChallengers({ ...deps, refused: () => counts.refused++ });
  const { keep, conclude } = challengers;
  let running: { report: TrainingReport; abort: AbortController; done: Promise<void> } | undefined;
  let schedule: Schedule | undefined;
  let isNight = false;
  let lastChangedMs = 0;

  function changed(report: TrainingReport): void {
    const at = now();
    if (report.state === 'running' && at - lastChangedMs < CHANGED_EVERY_MS) return;
    lastChangedMs = at;
    deps.publish(report);
  }

  async function run(report: TrainingReport, request: TrainingRequest, signal: AbortSignal): Promise<void> {
    const better = await trainChallenger(report, request, { ...deps, changed }, signal);
    tellSetAside(report);
    if (better) return challengers.enter(report);
    counts[report.state === 'refused' ? 'refused' : 'failed']++;
    return conclude(report, report.state === 'failed' ? 'warning' : 'ok');
  }

  /** Labels that contradict everything else are a matter for people: an account may be stolen. */
  function tellSetAside(report: TrainingReport): void {
    const aside = report.data?.setAside;
    if (!aside || aside.labels === 0) return;
    const { label, isGrave } = describeSetAside(aside);
    toSiem(isGrave ? 'warning' : 'ok', `labels ${report.model}`, label);
  }

  async function night(): Promise<void> {
    isNight = true;
    try {
      await training.nightly();
    } catch (error) {
      log.error({ err: error }, 'The scheduled training failed.');
    } finally {
      isNight = false;
    }
  }

  function wanted(): string[] {
    if (options.models.length > 0) return options.models;
    return models
      .folders()
      .map((f) => f.name)
      .filter((name) => {
        try {
          return models.champion(name).card.tier === 'classification';
        } catch {
          return false;
        }
      });
  }

  async function statusOf(name: string): Promise<TrainingStatus['models'][number]> {
    const { card } = models.champion(name);
    const newLabels = await countNewLabels(store, card.schema.name, card.trainedMs);
    const tooFew = newLabels < options.minNewLabels ? `${newLabels} of ${options.minNewLabels} new labels` : '';
    return {
      model: name,
      newLabels,
      benignSamples: await store.samples.count(card.schema.name),
      blockedBy: wanted().includes(name) ? tooFew : 'not among training.models',
    };
  }

  const training: Training = {
    async open() {
      for (const report of await store.training.inState(['running'])) {
        report.state = 'failed';
        report.progress = null;
        report.finishedMs = now();
        report.summary = 'The server stopped during the run; the champion was not touched.';
        report.error = { code: 'training.interrupted', message: report.summary, fix: 'Start it again.' };
        await conclude(report, 'warning');
      }
      await challengers.resume();
      if (options.enabled) schedule = createSchedule(options.schedule);
    },
    async status() {
      const list: TrainingStatus['models'] = [];
      for (const { name } of models.folders()) list.push(await statusOf(name));
      const suggested = challengers.list().filter((r) => r.state === 'suggested');
      return {
        enabled: options.enabled,
        schedule: options.schedule,
        nextRunMs: schedule?.nextMs() ?? 0,
        promotion: options.promotion,
        running: running?.report ?? null,
        suggested: suggested.sort((a, b) => b.startedMs - a.startedMs)[0] ?? null,
        minNewLabels: options.minNewLabels,
        models: list,
      };
    },
    current: (id) => (running?.report.id === id ? running.report : challengers.find(id)),
    async start(request, actor, trigger = 'person') {
      if (running) {
        throw new AppError({
          kind: 'user',
          code: 'training.conflict',
          message: `${running.report.model} is being trained already.`,
          fix: 'Wait for it, or cancel it.',
        });
      }
      const { card } = models.champion(request.model);
      const report = newReport(request, {
        champion: card.id,
        algorithm: card.algorithm,
        trigger,
        actor: actor.name,
        nowMs: now(),
      });
      const abort = new AbortController();
      counts.runs++;
      const done = keep(report)
        .then(() => run(report, request, abort.signal))
        .catch((error: unknown) => {
          log.error({ err: error, run: report.id, problem: errorMessage(error) }, 'A training run failed.');
        })
        .finally(() => {
          running = undefined;
        });
      running = { report, abort, done };
      return Promise.resolve(report);
    },
    async cancel(id) {
      if (running?.report.id !== id) throw notRunning(id);
      const { report, abort, done } = running;
      abort.abort();
      await done;
      return report;
    },
    async dismiss(id, reason, actor) {
      const report = challengers.find(id);
      if (!report) throw notRunning(id);
      await challengers.dismiss(report, `Turned down by ${actor.name}: ${reason}`);
      return report;
    },
    async nightly() {
      for (const model of wanted()) {
        // A person's run comes first.
        await running?.done;
        const { card } = models.champion(model);
        const newLabels = await countNewLabels(store, card.schema.name, card.trainedMs);
        if (newLabels < options.minNewLabels) {
          log.info({ model, newLabels, needed: options.minNewLabels }, 'No training: too few new labels.');
          continue;
        }
        await training.start({ model }, { name: 'schedule' }, 'schedule');
        await running?.done;
      }
    },
    onScoring(sensor, drawn, shadow) {
      drift.add(drawn);
      samples.offer(sensor, drawn);
      challengers.count(shadow);
    },
    shadowOf: (model) => challengers.ofModel(model)?.shadow ?? null,
    promoted(model, version, by) {
      counts.promoted++;
      challengers.promoted(model, version, by);
    },
    drift: drift.list,
    tick() {
      if (schedule?.isDue() === true && !isNight && deps.isScheduler?.() !== false) void night();
      challengers.judge();
      if (drift.tick()) for (const report of challengers.list()) void keep(report);
    },
    metrics: () => ({
      training_runs: counts.runs,
      training_promoted: counts.promoted,
      training_refused: counts.refused,
      training_failed: counts.failed,
      training_running: running ? 1 : 0,
      training_samples_kept: samples.kept(),
      ...Object.fromEntries(drift.metrics()),
    }),
    async close() {
      schedule = undefined;
      running?.abort.abort();
      await running?.done;
    },
  };
  return training;
}

function notRunning(id: string): AppError {
  return new AppError({
    kind: 'user',
    code: 'training.not_found',
    message: `Nothing of training run ${id} is under way.`,
    fix: 'GET /api/v1/training/runs lists the runs and their states.',
  });
}
