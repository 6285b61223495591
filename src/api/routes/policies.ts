import type { policyOperations } from '../../contract/http.js';
import type { Alert } from '../../domain/alert.js';
import type { Store } from '../../store/index.js';
import type { Control } from '../deps.js';
import { notFound } from '../errors.js';
import type { Handlers } from '../request.js';
import type { ChangeFreshness } from './changes.js';

interface Parts {
  store: Store;
  control: Control;
  freshness: ChangeFreshness;
}

export function policyHandlers({ store, control, freshness }: Parts): Pick<Handlers, keyof typeof policyOperations> {
  async function alertOf(alert: string | object): Promise<Alert> {
    // A missing key and an undefined one are the same in JSON.
    const found = typeof alert === 'string' ? await store.alerts.get(alert) : (alert as Alert);
    if (!found) throw notFound('alert');
    return found;
  }
  const versionBefore = async (name: string) => {
    const [before] = await store.policies.versions(name);
    return before === undefined ? null : { version: before.version, yaml: before.yaml };
  };

  return {
    async listPolicies() {
      return { items: await control.policies.list(), nextCursor: null };
    },
    getPolicy: async ({ params }) => control.policies.get(params.name),
    validatePolicy: async ({ body }) => control.policies.validate(body.yaml),
    async putPolicy(request) {
      const { name } = request.params;
      const { yaml, ...change } = request.body;
      const before = await versionBefore(name);
      const policy = await control.policies.put(name, { yaml, ...change }, request.actor);
      if (policy.pending) freshness.made(policy.pending.id, request.connection);
      const after = { version: policy.version, yaml };
      await request.audit({ action: 'policy.put', object: name, reason: change.comment, before, after });
      return policy;
    },
    async rollbackPolicy(request) {
      const { name } = request.params;
      const { version, ...change } = request.body;
      const before = await versionBefore(name);
      const policy = await control.policies.rollback(name, { version, ...change }, request.actor);
      if (policy.pending) freshness.made(policy.pending.id, request.connection);
      const after = { version: policy.version, copyOf: version };
      await request.audit({ action: 'policy.rollback', object: name, reason: change.comment, before, after });
      return policy;
    },
    async deletePolicy(request) {
      const { name } = request.params;
      const before = await versionBefore(name);
      await control.policies.remove(name, request.actor);
      await request.audit({ action: 'policy.delete', object: name, reason: request.body.comment, before });
    },
    diffPolicy: async ({ params, body }) => control.policies.diff(params.name, body),
    testPolicy: async ({ params, body }) => control.policies.test(params.name, await alertOf(body.alert)),
    explainPolicies: async ({ body }) => control.policies.explain(await alertOf(body.alert), body.yaml),
  };
}
