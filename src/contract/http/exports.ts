import { z } from 'zod';
import { defineOperations } from './operation.js';

export const EXPORT_MAX_ROWS = 100_000;
export const EXPORT_LISTS = ['alerts', 'incidents', 'decisions', 'flows'] as const;
export const exportParamsSchema = z.strictObject({ list: z.enum(EXPORT_LISTS) });
export const exportQuerySchema = z.strictObject({
  format: z.enum(['csv', 'ndjson']).default('csv'),
  /** As in the list. */
  q: z.string().max(500).optional(),
  /** Newest rows, at most so many. */
  max: z.coerce.number().int().min(1).max(EXPORT_MAX_ROWS).default(10_000),
});
const download = ['text/csv', 'application/x-ndjson'] as const;

export const exportOperations = defineOperations({
  exportList: {
    method: 'get',
    path: '/export/:list',
    summary:
      'The newest rows of a list as CSV or NDJSON; cells that a spreadsheet would run are quoted with an apostrophe',
    access: 'analyst',
    rate: 'heavy',
    params: exportParamsSchema,
    query: exportQuerySchema,
    status: 200,
    download,
  },
  exportAudit: {
    method: 'get',
    path: '/audit/export',
    summary: 'The newest audit entries with their hashes as CSV or NDJSON',
    access: 'admin',
    rate: 'heavy',
    query: exportQuerySchema,
    status: 200,
    download,
  },
});
