import { join } from 'node:path';
import type { Control } from '../../api/index.js';
import { installRoot, type LoadedConfig } from '../../config/index.js';
import type { SensorMessage } from '../../contract/ipc.js';
import type { TrainingRun } from '../../contract/http.js';
import type { SiemEvent } from '../../domain/siem-event.js';
import type { Store } from '../../store/index.js';
import type { Logger } from '../../util/logger.js';
import { healthEvent } from './audit-events.js';
import { createModelBook, type ModelBook } from './models.js';
import { explainAlert } from './training-explain.js';
import { createTraining, type Training } from './training.js';

export interface LearningDeps {
  store: Store;
  log: Logger;
  /** Tells every sensor to load its models again. */
  reloadSensors(): void;
  publish(run: TrainingRun): void;
  toSiem(event: SiemEvent): void;
  isScheduler?(): boolean;
  /** Tests move it. */
  now?(): number;
  /** Entry of the command line that trains; this process's own unless given. */
  main?: string;
}

/** Models and their training, as the server daemon wires them. */
export interface Learning {
  models: ModelBook;
  training: Training;
  control: Pick<Control, 'models' | 'training'>;
  onScoring(message: Extract<SensorMessage, { type: 'scoring' }>, sensor: string): void;
}

export function createLearning(config: LoadedConfig, deps: LearningDeps): Learning {
  const now = deps.now ?? Date.now;
  const models = createModelBook({
    configured: config.detect.models.models,
    dataDir: config.data_dir,
    keepVersions: config.training.keepVersions,
    reload: () => {
      deps.reloadSensors();
    },
    shadowOf: (name) => training.shadowOf(name),
    promoted: (name, version, by) => {
      training.promoted(name, version, by);
    },
  });
  const training: Training = createTraining({
    store: deps.store,
    models,
    options: config.training,
    dataDir: config.data_dir,
    main: deps.main ?? process.argv[1] ?? join(installRoot(), 'dist/src/cli/main.js'),
    log: deps.log,
    publish: (run) => {
      deps.publish(run);
    },
    toSiem: (status, component, message) => {
      deps.toSiem(healthEvent(config.name, component, status, message));
    },
    ...(deps.isScheduler === undefined ? {} : { isScheduler: deps.isScheduler }),
    now,
  });
  return {
    models,
    training,
    onScoring({ samples, shadow }, sensor) {
      training.onScoring(sensor, samples, shadow);
    },
    control: {
      models: {
        list: () => models.list(),
        get: (name) => models.get(name),
        version: (name, version) => models.version(name, version),
        promote(name, version, reason, actor) {
          const detail = models.promote(name, version, actor.name, reason);
          deps.toSiem(healthEvent(config.name, `model ${name}`, 'ok', `${actor.name} promoted ${version}: ${reason}`));
          return detail;
        },
        rollback(name, reason, actor) {
          const detail = models.rollback(name, actor.name, reason);
          const message = `${actor.name} rolled ${name} back to ${detail.card.id}: ${reason}`;
          deps.toSiem(healthEvent(config.name, `model ${name}`, 'warning', message));
          return detail;
        },
        drift: () => training.drift(),
        explain: (alert) =>
          explainAlert(alert, (name, version) => models.find(name, version), {
            shortSecs: config.features.shortWindowSecs,
            longSecs: config.features.longWindowSecs,
          }),
      },
      training: {
        status: () => training.status(),
        current: (id) => training.current(id),
        start: (request, actor) => training.start(request, actor),
        cancel: (id) => training.cancel(id),
        dismiss: (id, reason, actor) => training.dismiss(id, reason, actor),
      },
    },
  };
}
