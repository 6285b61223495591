import type { z } from 'zod';
import type { alertOperations, AlertRow, labelRequestSchema } from '../../contract/http.js';
import type { Store, StoredAlert, StoredLabel } from '../../store/index.js';
import { uuid7 } from '../../util/uuid7.js';
import type { LiveFeed } from '../live.js';
import { notFound } from '../errors.js';
import type { Handlers } from '../request.js';

/** A row of a list: without the feature vector, which only the training needs. */
export function toAlertRow({ features: _features, ...row }: StoredAlert): AlertRow {
  return row;
}

function toLabel({ alertLabel: _label, features: _features, source: _source, tiers: _tiers, ...label }: StoredLabel) {
  return label;
}

interface Parts {
  store: Store;
  live: LiveFeed;
  now(): number;
}

export function alertHandlers({ store, live, now }: Parts): Pick<Handlers, keyof typeof alertOperations> {
  async function find(id: string): Promise<StoredAlert> {
    const alert = await store.alerts.get(id);
    if (!alert) throw notFound('alert');
    return alert;
  }

  async function judge(
    alert: StoredAlert,
    { verdict, class: className, comment }: z.output<typeof labelRequestSchema>,
    user: string,
  ) {
    const label: StoredLabel = {
      id: uuid7(),
      alertId: alert.id,
      verdict,
      ...(className === undefined ? {} : { class: className }),
      ...(comment === undefined ? {} : { comment }),
      user,
      createdMs: now(),
      alertLabel: alert.label,
      source: alert.offender,
      tiers: alert.tiers,
      ...(alert.features === undefined ? {} : { features: alert.features }),
    };
    await store.labels.add(label);
    await store.alerts.setLabelVerdict(alert.id, verdict);
    live.publish({ topic: 'alerts', data: toAlertRow({ ...alert, labelVerdict: verdict }) }, 'updated');
    return toLabel(label);
  }

  return {
    async listAlerts({ query }) {
      const page = await store.alerts.list(query);
      return { items: page.items.map(toAlertRow), nextCursor: page.nextCursor };
    },
    async getAlert({ params }) {
      const alert = await find(params.id);
      const [incident, decisions, verdict, labels] = await Promise.all([
        store.incidents.get(alert.incidentId),
        store.decisions.ofAlert(alert.id),
        store.alerts.verdict(alert.id),
        store.labels.ofAlert(alert.id),
      ]);
      return { alert, incident: incident ?? null, decisions, verdict: verdict ?? null, labels: labels.map(toLabel) };
    },
    async patchAlert(request) {
      const { id } = request.params;
      const { state } = request.body;
      const before = await find(id);
      await store.alerts.setState([id], state);
      await request.audit({ action: 'alert.state', object: id, before: { state: before.state }, after: { state } });
      const row = toAlertRow({ ...before, state });
      live.publish({ topic: 'alerts', data: row }, 'updated');
      return row;
    },
    async bulkAlerts(request) {
      const { ids, state } = request.body;
      const changed = await store.alerts.setState(ids, state);
      await request.audit({ action: 'alert.state', object: `${ids.length} alerts`, after: { state, ids } });
      for (const alert of await store.alerts.getMany(ids)) {
        live.publish({ topic: 'alerts', data: toAlertRow(alert) }, 'updated');
      }
      return { changed };
    },
    async labelAlert(request) {
      const alert = await find(request.params.id);
      const label = await judge(alert, request.body, request.principal.account);
      const { verdict, class: className } = request.body;
      await request.audit({ action: 'alert.label', object: alert.id, after: { verdict, class: className } });
      return label;
    },
    async bulkLabelAlerts(request) {
      const { ids, ...judgement } = request.body;
      const alerts = await store.alerts.getMany(ids);
      for (const alert of alerts) await judge(alert, judgement, request.principal.account);
      const { verdict, class: className } = judgement;
      const after = { verdict, class: className, ids };
      await request.audit({ action: 'alert.label', object: `${ids.length} alerts`, after });
      return { changed: alerts.length };
    },
  };
}
