import { ACTIVITY_HOURS, type incidentOperations } from '../../contract/http.js';
import type { Incident } from '../../domain/incident.js';
import type { Store } from '../../store/index.js';
import type { LiveFeed } from '../live.js';
import { notFound, userError } from '../errors.js';
import type { Handlers } from '../request.js';
import { toAlertRow } from './alerts.js';

const MAX_ALERTS = 200;

interface Parts {
  store: Store;
  live: LiveFeed;
  now(): number;
}

function conflict({ state, owner = 'nobody' }: Incident): Error {
  return userError({
    code: 'incident.conflict',
    message: `The incident was changed meanwhile: it is ${state} and belongs to ${owner}.`,
    fix: 'Look at it again.',
  });
}

export function incidentHandlers({ store, live, now }: Parts): Pick<Handlers, keyof typeof incidentOperations> {
  async function find(id: string): Promise<Incident> {
    const incident = await store.incidents.get(id);
    if (!incident) throw notFound('incident');
    return incident;
  }

  return {
    listIncidents: ({ query }) => store.incidents.list(query),
    async listIncidentActivity({ body }) {
      const stepMs = 3_600_000;
      const nowMs = now();
      const fromMs = nowMs - ACTIVITY_HOURS * stepMs + 1;
      const ids = [...new Set(body.ids)];
      const items = await store.incidents.activity(ids, { fromMs, stepMs, steps: ACTIVITY_HOURS });
      return { fromMs, stepSecs: stepMs / 1000, items };
    },
    async getIncident({ params }) {
      const incident = await find(params.id);
      const [alerts, decisions, comments] = await Promise.all([
        store.alerts.ofIncident(incident.id, MAX_ALERTS),
        store.decisions.ofIncident(incident.id),
        store.incidents.comments(incident.id),
      ]);
      return { incident, alerts: alerts.map(toAlertRow), decisions, comments };
    },
    async patchIncident(request) {
      const { id } = request.params;
      const { expect, ...change } = request.body;
      const { owner } = change;
      const before = await find(id);
      if (typeof owner === 'string' && !(await store.users.get(owner))) throw notFound('user');
      const after = await store.incidents.change(id, change, expect);
      if (!after) throw conflict(await find(id));
      await request.audit({
        action: 'incident.change',
        object: id,
        before: { state: before.state, owner: before.owner },
        after: { state: after.state, owner: after.owner },
      });
      live.publish({ topic: 'incidents', data: after }, 'updated');
      return after;
    },
    async bulkIncidents(request) {
      const { ids, state, owner } = request.body;
      if (typeof owner === 'string' && !(await store.users.get(owner))) throw notFound('user');
      const change = { ...(state === undefined ? {} : { state }), ...(owner === undefined ? {} : { owner }) };
      let changed = 0;
      for (const id of new Set(ids)) {
        const after = await store.incidents.change(id, change);
        if (!after) continue;
        changed++;
        live.publish({ topic: 'incidents', data: after }, 'updated');
      }
      await request.audit({ action: 'incident.change', object: `${ids.length} incidents`, after: { ...change, ids } });
      return { changed };
    },
    async commentIncident(request) {
      const { id } = await find(request.params.id);
      const comment = await store.incidents.comment(id, request.principal.account, request.body.text);
      await request.audit({ action: 'incident.comment', object: id });
      return comment;
    },
  };
}
