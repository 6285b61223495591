import { z } from 'zod';
import { hostParamsSchema } from './hosts.js';
import { defineOperations } from './operation.js';

export const addressFactsSchema = z.object({
  address: z.string(),
  /** Null: none, or reverse DNS is off. */
  reverseName: z
    .object({
      name: z.string(),
      /** The name leads back to the address; otherwise anybody may have written it. */
      confirmed: z.boolean(),
    })
    .nullable(),
  /** ISO 3166-1 code; null: not known, or no database. */
  country: z.string().nullable(),
  /** Autonomous system that announces it. */
  network: z.object({ asn: z.number(), name: z.string() }).nullable(),
});
export type AddressFacts = z.infer<typeof addressFactsSchema>;

export const addressFactOperations = defineOperations({
  getAddressFacts: {
    method: 'get',
    path: '/addresses/:address',
    summary: 'Name, country and network of an address, as far as api.lookups allows to look them up',
    access: 'viewer',
    rate: 'read',
    params: hostParamsSchema,
    status: 200,
    response: addressFactsSchema,
  },
});
