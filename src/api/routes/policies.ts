import type { policyOperations } from '../../contract/http.js';
import type { Alert } from '../../domain/alert.js';
import type { Store } from '../../store/index.js';
import type { Control } from '../deps.js';
import { notFound } from '../errors.js';
import type { Handlers } from '../request.js';

interface Parts {
  store: Store;
  control: Control;
}

export function policyHandlers({ store, control }: Parts): Pick<Handlers, keyof typeof policyOperations> {
  return {
    async listPolicies() {
      return { items: await control.policies.list(), nextCursor: null };
    },
    getPolicy: async ({ params }) => control.policies.get(params.name),
    validatePolicy: async ({ body }) => control.policies.validate(body.yaml),
    async putPolicy(request) {
      const { name } = request.params;
      const { yaml, comment } = request.body;
      const [before] = await store.policies.versions(name);
      const policy = await control.policies.put(name, yaml, comment, request.actor);
      await request.audit({
        action: 'policy.put',
        object: name,
        reason: comment,
        before: before === undefined ? null : { version: before.version, yaml: before.yaml },
        after: { version: policy.version, yaml },
      });
      return policy;
    },
    async testPolicy({ params, body }) {
      // A missing key and an undefined one are the same in JSON.
      const alert = typeof body.alert === 'string' ? await store.alerts.get(body.alert) : (body.alert as Alert);
      if (!alert) throw notFound('alert');
      return control.policies.test(params.name, alert);
    },
    async listRules() {
      return { items: await control.rules.list(), nextCursor: null };
    },
  };
}
