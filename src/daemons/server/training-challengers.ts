import { join } from 'node:path';
import type { TrainingReport } from '../../contract/http.js';
import type { ShadowCount } from '../../contract/ipc.js';
import type { SiemHealthEvent } from '../../domain/siem-event.js';
import type { Store } from '../../store/index.js';
import type { TrainingOptions } from '../../train/index.js';
import type { Logger } from '../../util/logger.js';
import type { ModelBook } from './models.js';
import { removeRunFolder, runFolder, runProblem } from './training-run.js';
import { needsPerson } from './training-set-aside.js';
import { addShadow, emptyShadow, shadowVerdict } from './training-shadow.js';

export interface ChallengerDeps {
  store: Store;
  models: ModelBook;
  options: TrainingOptions;
  dataDir: string;
  log: Logger;
  now(): number;
  publish(report: TrainingReport): void;
  toSiem(status: SiemHealthEvent['status'], component: string, message: string): void;
  /** A challenger was turned down because it alarms too often on live traffic. */
  refused(): void;
}

/** Challengers that passed the gate: they score live traffic beside their champions until somebody, or the policy, decides. */
export interface Challengers {
  list(): TrainingReport[];
  ofModel(model: string): TrainingReport | undefined;
  find(runId: string): TrainingReport | undefined;
  /** Takes up what the last stop of the server left. */
  resume(): Promise<void>;
  /** Puts a run's challenger beside its champion; one that was there before makes room. What fails is in the report. */
  enter(report: TrainingReport): Promise<void>;
  dismiss(report: TrainingReport, summary: string): Promise<void>;
  /** A version became the champion; another challenger of the model than that one makes room. */
  promoted(model: string, version: string, by: string): void;
  count(counts: readonly ShadowCount[]): void;
  /** Settles those that have shown enough. */
  judge(): void;
  /** Stores a report, and tells whoever watches. Never throws. */
  keep(report: TrainingReport): Promise<void>;
  /** A run has come to rest: report to the store and the SIEM; files removed unless its challenger goes on scoring. */
  conclude(report: TrainingReport, status: SiemHealthEvent['status']): Promise<void>;
}

export function createChallengers(deps: ChallengerDeps): Challengers {
  const { store, models, options, dataDir, log, now } = deps;
  /** Reports of their runs, by model. */
  const scoring = new Map<string, TrainingReport>();

  async function keep(report: TrainingReport): Promise<void> {
    deps.publish(report);
    try {
      await store.training.save(report);
    } catch (error) {
      log.error({ err: error, run: report.id }, 'The report of a training run was not stored.');
    }
  }

  async function conclude(report: TrainingReport, status: SiemHealthEvent['status']): Promise<void> {
    log.info({ run: report.id, model: report.model, state: report.state }, 'A training run came to rest.');
    deps.toSiem(status, `training ${report.model}`, `Training of ${report.model}: ${report.state}. ${report.summary}`);
    if (report.state !== 'suggested') {
      if (scoring.get(report.model)?.id === report.id) scoring.delete(report.model);
      removeRunFolder(dataDir, report.id);
    }
    await keep(report);
  }

  async function dismiss(report: TrainingReport, summary: string): Promise<void> {
    models.setChallenger(report.model, undefined);
    report.state = 'dismissed';
    report.summary = summary;
    await conclude(report, 'ok');
  }

  async function fail(report: TrainingReport, error: unknown): Promise<void> {
    log.error({ err: error, run: report.id }, 'A challenger could not be put in place.');
    try {
      models.setChallenger(report.model, undefined);
    } catch {
      // The same disk; the sensor goes on with the champion whatever the link says.
    }
    report.state = 'failed';
    report.error = runProblem(error);
    report.summary = report.error.message;
    await conclude(report, 'warning');
  }

  async function makeRoom(model: string, summary: string): Promise<void> {
    const old = scoring.get(model);
    if (old) await dismiss(old, summary);
  }

  function judge(report: TrainingReport): void {
    if (report.state !== 'shadow' || !report.shadow) return;
    const verdict = shadowVerdict(report.shadow, options, { budget: report.gate?.budget ?? 0, nowMs: now() });
    if (verdict === 'wait') return;
    report.shadow.ok = verdict === 'ok';
    void settle(report, verdict === 'ok').catch((error: unknown) => fail(report, error));
  }

  async function settle(report: TrainingReport, ok: boolean): Promise<void> {
    const s = report.shadow!;
    const alarms = `${s.both + s.challengerOnly} of ${s.rows} live vectors alarmed, with the champion ${s.both + s.championOnly}`;
    if (!ok) {
      models.setChallenger(report.model, undefined);
      report.state = 'refused';
      report.summary = `It alarms too often on live traffic: ${alarms}.`;
      deps.refused();
      return conclude(report, 'ok');
    }
    if (options.promotion === 'suggest' || needsPerson(report)) {
      report.state = 'suggested';
      const why = needsPerson(report) ? ' Labels of an account were not believed: look at them first.' : '';
      report.summary = `Better than the champion, and quiet enough on live traffic (${alarms}).${why} Promote or dismiss it.`;
      return conclude(report, 'warning');
    }
    report.summary = `Promoted by policy: better than the champion; ${alarms}.`;
    models.promote(report.model, report.challenger, 'policy', report.summary);
  }

  return {
    list: () => [...scoring.values()],
    ofModel: (model) => scoring.get(model),
    find: (runId) => [...scoring.values()].find((r) => r.id === runId),
    async resume() {
      for (const report of await store.training.inState(['shadow', 'suggested'])) {
        const scores = models.folders().some((f) => f.name === report.model && f.challenger !== undefined);
        if (scores && !scoring.has(report.model)) scoring.set(report.model, report);
        else {
          report.state = 'dismissed';
          report.summary = 'Its files are gone.';
          await conclude(report, 'ok');
        }
      }
    },
    async enter(report) {
      await makeRoom(report.model, 'A newer challenger took its place.');
      report.state = 'shadow';
      report.shadow = emptyShadow(report, options, now());
      report.summary = 'Better by the gate; it scores live traffic beside the champion.';
      scoring.set(report.model, report);
      try {
        models.setChallenger(report.model, join(runFolder(dataDir, report.id), 'bundle'));
      } catch (error) {
        return fail(report, error);
      }
      await keep(report);
      judge(report);
    },
    dismiss,
    promoted(model, version, by) {
      const report = scoring.get(model);
      if (report?.challenger !== version) {
        void makeRoom(model, `Another version was promoted by ${by}.`);
        return;
      }
      report.state = 'promoted';
      if (by !== 'policy') report.summary = `Promoted by ${by}.`;
      void conclude(report, 'ok');
    },
    count(counts) {
      for (const count of counts) {
        const report = scoring.get(count.model);
        if (report?.shadow && report.challenger === count.version) addShadow(report.shadow, count);
      }
    },
    judge() {
      for (const report of scoring.values()) judge(report);
    },
    keep,
    conclude,
  };
}
