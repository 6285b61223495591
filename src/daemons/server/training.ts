import cron from 'node-cron';
import type { Actor } from '../../api/index.js';
import type { ModelDrift, TrainingReport, TrainingRequest, TrainingRun, TrainingStatus } from '../../contract/http.js';
import type { ScoredFlow, ShadowCount } from '../../contract/ipc.js';
import { AppError, errorMessage } from '../../util/errors.js';
import type { Logger } from '../../util/logger.js';
import { uuid7 } from '../../util/uuid7.js';
import type { SiemHealthEvent } from '../../domain/siem-event.js';
import { countNewLabels } from './training-data.js';
import { createDriftWatch } from './training-drift.js';
import { newReport, removeRunFolder, runFolder, trainChallenger, type RunDeps } from './training-run.js';
import { addShadow, emptyShadow, shadowVerdict } from './training-shadow.js';
import { join } from 'node:path';

const DRIFT_EVERY_MS = 300_000;
/** Thousands of vectors are compared: not for every request. */
const DRIFT_CACHE_MS = 10_000;
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
  /** Once a second or so: verdicts of the shadow, drift alarms. */
  tick(): void;
  metrics(): Record<string, number>;
  /** Resolves when a run that was under way has ended. */
  close(): Promise<void>;
}

export function createTraining(deps: TrainingDeps): Training {
  const { store, models, options, log, now } = deps;
  const counts = { runs: 0, promoted: 0, refused: 0, failed: 0, samplesKept: 0 };
  const watch = createDriftWatch(options.driftRows);
  const driftLevels = new Map<string, ModelDrift['level']>();
  /** Reports of runs whose challenger scores live traffic, by model. */
  const challengers = new Map<string, TrainingReport>();
  let running: { report: TrainingReport; abort: AbortController; done: Promise<void> } | undefined;
  let schedule: ReturnType<typeof cron.schedule> | undefined;
  let sampled = 0;
  let lastDriftMs = 0;
  let driftNow: { atMs: number; list: ModelDrift[] } = { atMs: -Infinity, list: [] };
  let lastChangedMs = 0;
  let lastPruneMs = 0;

  function changed(report: TrainingReport): void {
    const at = now();
    if (report.state === 'running' && at - lastChangedMs < CHANGED_EVERY_MS) return;
    lastChangedMs = at;
    deps.publish(report);
  }

  async function keep(report: TrainingReport): Promise<void> {
    deps.publish(report);
    try {
      await store.training.save(report);
    } catch (error) {
      log.error({ err: error, run: report.id }, 'The report of a training run was not stored.');
    }
  }

  /** A run has come to rest: report to the store and the SIEM, files removed unless its challenger goes on scoring. */
  async function conclude(report: TrainingReport, status: SiemHealthEvent['status']): Promise<void> {
    log.info({ run: report.id, model: report.model, state: report.state }, 'A training run came to rest.');
    deps.toSiem(status, `training ${report.model}`, `Training of ${report.model}: ${report.state}. ${report.summary}`);
    if (report.state !== 'suggested') {
      if (challengers.get(report.model)?.id === report.id) challengers.delete(report.model);
      removeRunFolder(deps.dataDir, report.id);
    }
    await keep(report);
  }

  async function replaceChallenger(model: string, reason: string): Promise<void> {
    const old = challengers.get(model);
    if (!old) return;
    models.setChallenger(model, undefined);
    old.state = 'dismissed';
    old.summary = reason;
    await conclude(old, 'ok');
  }

  async function run(report: TrainingReport, request: TrainingRequest, signal: AbortSignal): Promise<void> {
    const better = await trainChallenger(report, request, { ...deps, changed }, signal);
    if (!better) {
      counts[report.state === 'refused' ? 'refused' : 'failed']++;
      await conclude(report, report.state === 'failed' ? 'warning' : 'ok');
      return;
    }
    await replaceChallenger(report.model, 'A newer challenger took its place.');
    report.state = 'shadow';
    report.shadow = emptyShadow(report, options, now());
    report.summary = 'Better by the gate; it scores live traffic beside the champion.';
    challengers.set(report.model, report);
    models.setChallenger(report.model, join(runFolder(deps.dataDir, report.id), 'bundle'));
    await keep(report);
    judgeShadow(report);
  }

  function judgeShadow(report: TrainingReport): void {
    if (report.state !== 'shadow' || !report.shadow) return;
    const verdict = shadowVerdict(report.shadow, options, { budget: report.gate?.budget ?? 0, nowMs: now() });
    if (verdict === 'wait') return;
    report.shadow.ok = verdict === 'ok';
    void settle(report, verdict === 'ok').catch((error: unknown) => {
      log.error({ err: error, run: report.id }, 'A challenger could not be settled.');
    });
  }

  async function settle(report: TrainingReport, ok: boolean): Promise<void> {
    const s = report.shadow!;
    const alarms = `${s.both + s.challengerOnly} of ${s.rows} live vectors alarmed, with the champion ${s.both + s.championOnly}`;
    if (!ok) {
      models.setChallenger(report.model, undefined);
      report.state = 'refused';
      report.summary = `It alarms too often on live traffic: ${alarms}.`;
      counts.refused++;
      return conclude(report, 'ok');
    }
    if (options.promotion === 'suggest') {
      report.state = 'suggested';
      report.summary = `Better than the champion, and quiet enough on live traffic (${alarms}). Promote or dismiss it.`;
      return conclude(report, 'warning');
    }
    report.summary = `Promoted by policy: better than the champion; ${alarms}.`;
    models.promote(report.model, report.challenger, 'policy', report.summary);
  }

  function find(id: string): TrainingReport | undefined {
    if (running?.report.id === id) return running.report;
    return [...challengers.values()].find((r) => r.id === id);
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
      for (const report of await store.training.inState(['shadow', 'suggested'])) {
        const scores = models.folders().some((f) => f.name === report.model && f.challenger !== undefined);
        if (scores && !challengers.has(report.model)) challengers.set(report.model, report);
        else {
          report.state = 'dismissed';
          report.summary = 'Its files are gone.';
          await conclude(report, 'ok');
        }
      }
      if (!options.enabled) return;
      schedule = cron.schedule(options.schedule, () => {
        if (deps.isScheduler?.() === false) return;
        training.nightly().catch((error: unknown) => {
          log.error({ err: error }, 'The scheduled training failed.');
        });
      });
    },
    async status() {
      const list: TrainingStatus['models'] = [];
      for (const { name } of models.folders()) {
        const { card } = models.champion(name);
        const newLabels = await countNewLabels(store, card.schema.name, card.trainedMs);
        list.push({
          model: name,
          newLabels,
          benignSamples: await store.samples.count(card.schema.name),
          blockedBy: !wanted().includes(name)
            ? 'not among training.models'
            : newLabels < options.minNewLabels
              ? `${newLabels} of ${options.minNewLabels} new labels`
              : '',
        });
      }
      const suggested = [...challengers.values()].filter((r) => r.state === 'suggested');
      return {
        enabled: options.enabled,
        schedule: options.schedule,
        nextRunMs: schedule?.getNextRun()?.getTime() ?? 0,
        promotion: options.promotion,
        running: running?.report ?? null,
        suggested: suggested.sort((a, b) => b.startedMs - a.startedMs)[0] ?? null,
        minNewLabels: options.minNewLabels,
        models: list,
      };
    },
    current: find,
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
      const report = [...challengers.values()].find((r) => r.id === id);
      if (!report) throw notRunning(id);
      models.setChallenger(report.model, undefined);
      report.state = 'dismissed';
      report.summary = `Turned down by ${actor.name}: ${reason}`;
      await conclude(report, 'ok');
      return report;
    },
    async nightly() {
      for (const model of wanted()) {
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
    onScoring(sensor, samples, shadow) {
      watch.add(samples);
      const kept = samples.filter((s) => !s.reported && sampled++ % options.keepOneIn === 0);
      if (kept.length > 0) void keepSamples(sensor, kept);
      for (const count of shadow) {
        const report = challengers.get(count.model);
        if (report?.shadow && report.challenger === count.version) addShadow(report.shadow, count);
      }
    },
    shadowOf: (model) => challengers.get(model)?.shadow ?? null,
    promoted(model, version, by) {
      counts.promoted++;
      const report = challengers.get(model);
      if (report?.challenger !== version) {
        void replaceChallenger(model, `Another version was promoted by ${by}.`);
        return;
      }
      report.state = 'promoted';
      if (by !== 'policy') report.summary = `Promoted by ${by}.`;
      void conclude(report, 'ok');
    },
    drift() {
      if (now() - driftNow.atMs < DRIFT_CACHE_MS) return driftNow.list;
      const list = models.folders().flatMap(({ name }) => {
        try {
          return [watch.of(models.champion(name).card)];
        } catch {
          // Broken: the sensor reports why it refuses it.
          return [];
        }
      });
      driftNow = { atMs: now(), list };
      return list;
    },
    tick() {
      for (const report of challengers.values()) judgeShadow(report);
      if (now() - lastDriftMs < DRIFT_EVERY_MS) return;
      lastDriftMs = now();
      driftNow.atMs = -Infinity;
      for (const drift of training.drift()) reportDrift(drift);
      for (const report of challengers.values()) void keep(report);
    },
    metrics() {
      const list = driftNow.list.filter((d) => d.level !== 'too_few_rows');
      const drift = list.flatMap((d): [string, number][] => [
        [`model_drift_score_psi_${d.model}`, Number(d.score.psi.toFixed(4))],
        [`model_drift_features_alarming_${d.model}`, d.features.filter((f) => f.level === 'alarm').length],
      ]);
      return {
        training_runs: counts.runs,
        training_promoted: counts.promoted,
        training_refused: counts.refused,
        training_failed: counts.failed,
        training_running: running ? 1 : 0,
        training_samples_kept: counts.samplesKept,
        ...Object.fromEntries(drift),
      };
    },
    async close() {
      await schedule?.destroy();
      running?.abort.abort();
      await running?.done;
    },
  };

  async function keepSamples(sensor: string, kept: readonly ScoredFlow[]): Promise<void> {
    try {
      await store.samples.add(
        kept.map(({ schema, reported: _reported, ...rest }) => ({
          ...rest,
          id: uuid7(rest.atMs),
          sensor,
          featureSchema: schema,
        })),
      );
      counts.samplesKept += kept.length;
      if (now() - lastPruneMs < 3_600_000) return;
      lastPruneMs = now();
      await store.samples.prune(options.keepSamples);
    } catch (error) {
      log.error({ err: error }, 'Sampled flows were not stored.');
    }
  }

  /** The SIEM hears of a change, not of a state: once when it begins and once when it ends. */
  function reportDrift(drift: ModelDrift): void {
    const before = driftLevels.get(drift.model);
    driftLevels.set(drift.model, drift.level);
    if (before === drift.level || drift.level === 'too_few_rows') return;
    if (drift.level === 'alarm') {
      const worst = drift.features.slice(0, 3).map((f) => `${f.name} ${f.psi.toFixed(2)}`);
      const message = `Live traffic is unlike what ${drift.model} was trained on: score ${drift.score.psi.toFixed(2)}, ${worst.join(', ')} (PSI, alarm from 0.25).`;
      deps.toSiem('warning', `drift ${drift.model}`, message);
    } else if (before === 'alarm') {
      deps.toSiem('ok', `drift ${drift.model}`, `Live traffic is like what ${drift.model} was trained on again.`);
    }
  }

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
