import type {
  AlertRow,
  labelQueueOperations,
  LabelQueueItem,
  modelOperations,
  trainingOperations,
} from '../../contract/http.js';
import type { Store, StoredAlert, StoredLabel } from '../../store/index.js';
import { uuid7 } from '../../util/uuid7.js';
import type { Control } from '../deps.js';
import { notFound, userError } from '../errors.js';
import type { Handlers } from '../request.js';
import { toAlertRow } from './alerts.js';

/** Newest alerts that are looked through for the label queue. */
const QUEUE_ALERTS = 200;

interface Parts {
  store: Store;
  control: Control;
  now(): number;
}

export function modelHandlers({
  store,
  control,
  now,
}: Parts): Pick<
  Handlers,
  keyof typeof modelOperations | keyof typeof trainingOperations | keyof typeof labelQueueOperations
> {
  const { models, training } = control;
  return {
    async listModels() {
      return { items: await models.list(), nextCursor: null };
    },
    getModel: async ({ params }) => models.get(params.name),
    getModelVersion: async ({ params }) => models.version(params.name, params.version),
    async promoteModel(request) {
      const { name } = request.params;
      const { version, reason } = request.body;
      const before = await models.get(name);
      const after = await models.promote(name, version, reason, request.actor);
      await request.audit({
        action: 'model.promote',
        object: name,
        reason,
        before: { version: before.card.id },
        after: { version: after.card.id },
      });
      return after;
    },
    async rollbackModel(request) {
      const { name } = request.params;
      const { reason } = request.body;
      const before = await models.get(name);
      const after = await models.rollback(name, reason, request.actor);
      await request.audit({
        action: 'model.rollback',
        object: name,
        reason,
        before: { version: before.card.id },
        after: { version: after.card.id },
      });
      return after;
    },
    async getDrift() {
      return { items: await models.drift(), nextCursor: null };
    },
    getTraining: async () => training.status(),
    listTrainingRuns: async ({ query }) => store.training.list(query),
    async getTrainingRun({ params }) {
      const report = (await training.current(params.id)) ?? (await store.training.get(params.id));
      if (!report) throw notFound('training run');
      return report;
    },
    async startTraining(request) {
      const run = await training.start(request.body, request.actor);
      await request.audit({ action: 'training.start', object: run.model, after: { run: run.id } });
      return run;
    },
    async cancelTraining(request) {
      const run = await training.cancel(request.params.id, request.actor);
      await request.audit({ action: 'training.cancel', object: run.model, after: { run: run.id } });
      return run;
    },
    async dismissChallenger(request) {
      const run = await training.dismiss(request.params.id, request.body.reason, request.actor);
      await request.audit({
        action: 'training.dismiss',
        object: run.model,
        reason: request.body.reason,
        after: { run: run.id, version: run.challenger },
      });
      return run;
    },
    async explainAlert({ params }) {
      const alert = await store.alerts.get(params.id);
      if (!alert) throw notFound('alert');
      return models.explain(alert);
    },
    async getLabelQueue({ query }) {
      const page = await store.alerts.list({ limit: QUEUE_ALERTS, ...(query.q === undefined ? {} : { q: query.q }) });
      const flows = await store.samples.unlabelled(Math.min(50, query.limit));
      return { alerts: labelQueue(page.items, query.limit), flows };
    },
    async labelFlowSample(request) {
      const sample = await store.samples.get(request.params.id);
      if (!sample) throw notFound('sampled flow');
      const { verdict, class: className, comment } = request.body;
      if (verdict === 'attack' && className === undefined) {
        throw userError({
          code: 'label.no_class',
          message: 'A missed attack needs a class.',
          fix: 'Say what it is, e.g. port_scan.',
        });
      }
      const label: StoredLabel = {
        id: uuid7(),
        alertId: sample.id,
        verdict: verdict === 'attack' ? 'true_positive' : 'false_positive',
        ...(verdict === 'attack' && className !== undefined ? { class: className } : {}),
        ...(comment === undefined ? {} : { comment }),
        user: request.principal.account,
        createdMs: now(),
        alertLabel: 'benign',
        source: sample.srcIp,
        features: { schema: sample.featureSchema, values: sample.values },
      };
      await store.labels.add(label);
      await store.samples.setLabelled(sample.id);
      await request.audit({ action: 'flow.label', object: sample.id, after: { verdict, class: className } });
      const { alertLabel: _label, features: _features, source: _source, ...answer } = label;
      return answer;
    },
  };
}

/** Unlabelled alerts with a vector: those the model was least sure of first, one of each offender and label. */
export function labelQueue(alerts: readonly StoredAlert[], limit: number): LabelQueueItem[] {
  const seen = new Set<string>();
  const open = alerts.filter((a) => {
    const key = `${a.offender} ${a.label}`;
    if (a.labelVerdict !== undefined || a.features === undefined || seen.has(key)) return false;
    seen.add(key);
    return true;
  });
  const doubt = (a: { confidence: number }): number => Math.abs(a.confidence - 0.5);
  return open
    .sort((a, b) => doubt(a) - doubt(b) || b.lastMs - a.lastMs)
    .slice(0, limit)
    .map((a) => ({ alert: toAlertRow(a), why: why(a) }));
}

function why(alert: AlertRow): string {
  const percent = Math.round(alert.confidence * 100);
  if (alert.label === 'unknown') return 'unlike every class the model knows';
  if (alert.tiers.length === 1) return `only the ${alert.tiers[0]} tier reports it, at ${percent} % confidence`;
  return `${alert.tiers.length} tiers agree, at ${percent} % confidence`;
}
