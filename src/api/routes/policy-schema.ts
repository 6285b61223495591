import type { policySchemaOperations } from '../../contract/http/policy-schema.js';
import { policyJsonSchema } from '../../policy/index.js';
import type { Handlers } from '../request.js';

export function policySchemaHandlers(): Pick<Handlers, keyof typeof policySchemaOperations> {
  const schema = policyJsonSchema() as Record<string, unknown>;
  return { getPolicySchema: () => Promise.resolve(schema) };
}
