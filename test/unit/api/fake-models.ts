import type { Control } from '../../../src/api/index.js';
import type { TrainingRun } from '../../../src/contract/http.js';
import { AppError } from '../../../src/util/errors.js';

/** Models of a server that has none: every question about one is answered with "not found". */
export function fakeModels(calls: unknown[][]): Pick<Control, 'models' | 'training'> {
  const missing = (what: string) =>
    new AppError({ kind: 'user', code: `${what}.not_found`, message: `No such ${what}.` });
  const none = (): never => {
    throw missing('model');
  };
  const run: TrainingRun = {
    id: '01890000-0000-7000-8000-00000000f001', model: 'flow-classifier', algorithm: 'random-forest', trigger: 'person', actor: 'ada',
    state: 'running', summary: 'It trains.', startedMs: 1, finishedMs: 0, progress: null, champion: '0123456789abcdef', challenger: '',
  }; // prettier-ignore
  return {
    models: { list: () => [], get: none, version: none, promote: none, rollback: none, drift: () => [], explain: none },
    training: {
      status: () => ({
        enabled: true, schedule: '30 3 * * *', nextRunMs: 0, promotion: 'suggest', running: null, suggested: null,
        minNewLabels: 50, models: [],
      }), // prettier-ignore
      current: () => undefined,
      start(request, actor) {
        calls.push(['training.start', request, actor.name]);
        return { ...run, model: request.model, actor: actor.name };
      },
      cancel() {
        throw missing('training');
      },
      dismiss() {
        throw missing('training');
      },
    },
  };
}
