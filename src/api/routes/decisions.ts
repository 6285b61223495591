import type { decisionOperations } from '../../contract/http.js';
import type { AllowEntry, Decision } from '../../domain/decision.js';
import { pageOfActive, type Store } from '../../store/index.js';
import { canonicalAddress } from '../../util/ip.js';
import type { Control } from '../deps.js';
import { notFound, userError, whenAway } from '../errors.js';
import type { Handlers } from '../request.js';
import { toAlertRow } from './alerts.js';

interface Parts {
  store: Store;
  control: Control;
  now(): number;
}

const HOST_NAME = /^(?=.{1,253}$)([A-Za-z0-9_]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,62}$/;

function badAddress(value: string): Error {
  return userError({
    code: 'request.bad_address',
    message: `"${value}" is not an address or prefix.`,
    fix: 'Write for example 203.0.113.7, 203.0.113.0/24 or 2001:db8::/64.',
  });
}

export function decisionHandlers({ store, control, now }: Parts): Pick<Handlers, keyof typeof decisionOperations> {
  async function find(id: string): Promise<Decision> {
    const held = (): Decision | undefined => control.decisionsInForce().find((decision) => decision.id === id);
    const decision = await store.decisions.get(id).catch(whenAway(held));
    if (!decision) throw notFound('decision');
    return decision;
  }
  const summary = ({ value, action, scope, expiresMs, enforcement }: Decision) => ({
    value,
    action,
    scope,
    expiresMs,
    enforcement,
  });
  const entryOf = ({ value, comment, expiresMs }: AllowEntry) => ({ value, comment, expiresMs });

  return {
    listDecisions: ({ query }) =>
      store.decisions
        .list(query, now())
        .catch(
          whenAway(() => (query.state === 'active' ? pageOfActive(control.decisionsInForce(), query) : undefined)),
        ),
    async getDecision({ params }) {
      const decision = await find(params.id);
      const [history, alerts] = await Promise.all([
        store.decisions.history(decision.id),
        store.alerts.getMany(decision.alertIds.slice(0, 100)),
      ]);
      return { decision, history, alerts: alerts.map(toAlertRow) };
    },
    async addDecision(request) {
      const value = canonicalAddress(request.body.value);
      if (value === undefined) throw badAddress(request.body.value);
      const decision = await control.addDecision({ ...request.body, value }, request.actor);
      const { reason } = request.body;
      await request.audit({ action: 'decision.add', object: value, reason, after: summary(decision) });
      return decision;
    },
    async extendDecision(request) {
      const before = await find(request.params.id);
      const after = await control.extendDecision(before.id, request.body.durationSecs, request.actor);
      const change = { before: summary(before), after: summary(after) };
      await request.audit({ action: 'decision.extend', object: before.value, ...change });
      return after;
    },
    async releaseDecision(request) {
      const before = await find(request.params.id);
      const { reason } = request.body;
      const after = await control.releaseDecision(before.id, reason, request.actor);
      const change = { before: summary(before), after: summary(after) };
      await request.audit({ action: 'decision.release', object: before.value, reason, ...change });
      return after;
    },
    async allowDecision(request) {
      const before = await find(request.params.id);
      const { comment, durationSecs } = request.body;
      // Released first: the exemption lifts what it covers, and a decision that is over must not leave one behind.
      const decision = await control.releaseDecision(before.id, comment, request.actor);
      const entry = { action: 'decision.allow', object: before.value, reason: comment, before: summary(before) };
      try {
        const allow = await control.addAllow({ value: before.value, comment, durationSecs }, request.actor);
        await request.audit({ ...entry, after: { decision: summary(decision), allow: entryOf(allow) } });
        return { decision, allow };
      } catch (error) {
        await request.audit({ ...entry, outcome: 'failure', after: { decision: summary(decision) } });
        throw error;
      }
    },
    listAllowlist: ({ query }) => store.allowlist.list(query),
    async addAllow(request) {
      const { value: text, comment } = request.body;
      const value = canonicalAddress(text) ?? (HOST_NAME.test(text) ? text.toLowerCase() : undefined);
      if (value === undefined) throw badAddress(text);
      const entry = await control.addAllow({ ...request.body, value }, request.actor);
      await request.audit({ action: 'allow.add', object: value, reason: comment, after: entryOf(entry) });
      return entry;
    },
    checkAllow: async ({ query }) => control.checkAllow(query.value),
    async removeAllow(request) {
      const entry = await store.allowlist.get(request.params.id);
      if (!entry) throw notFound('exemption');
      await control.removeAllow(entry.id, request.actor);
      await request.audit({ action: 'allow.remove', object: entry.value, before: entryOf(entry) });
    },
    async listProtected() {
      return { items: await control.protectedSet(), nextCursor: null };
    },
    explain({ query }) {
      const address = canonicalAddress(query.address);
      if (address === undefined) throw badAddress(query.address);
      return Promise.resolve(control.explain(address, { port: query.port, proto: query.proto }));
    },
  };
}
