import { z } from 'zod';
import { defineOperations } from './operation.js';

export const policySchemaOperations = defineOperations({
  getPolicySchema: {
    method: 'get',
    path: '/policy-schema',
    summary: 'JSON Schema of a policy file, for editors',
    access: 'viewer',
    rate: 'read',
    status: 200,
    response: z.record(z.string(), z.unknown()),
  },
});
