import { z } from 'zod';
import { INDICATOR_TYPES } from '../../domain/indicator.js';
import { msSchema, pageOf } from './common.js';
import { defineOperations } from './operation.js';

export const FEED_KINDS = ['list', 'csv', 'stix', 'taxii', 'misp'] as const;

const countsSchema = z.record(z.enum(INDICATOR_TYPES), z.number());

export const intelFeedSchema = z.object({
  name: z.string(),
  kind: z.enum(FEED_KINDS),
  /** Where it comes from, without credentials. */
  url: z.string(),
  enabled: z.boolean(),
  /** Listed addresses go into the kernel's feed sets, as the mode of the box allows. */
  block: z.boolean(),
  refreshMinutes: z.number(),
  /** never: not fetched yet; unchanged: the source had nothing new; failed: what was fetched before stays in use. */
  state: z.enum(['never', 'ok', 'unchanged', 'failed']),
  lastTryMs: msSchema.nullable(),
  /** When the indicators in use were fetched. */
  lastOkMs: msSchema.nullable(),
  nextMs: msSchema.nullable(),
  error: z.string().nullable(),
  /** Indicators in use, by type. */
  indicators: countsSchema,
  /** Lines or objects of the source that were not understood, or too wide or private to be used. */
  rejected: z.number(),
  /** The first few of them with the reason. */
  rejectedExamples: z.array(z.string()),
  /** Blocks of this feed in force. */
  blocked: z.number(),
});
export type IntelFeed = z.infer<typeof intelFeedSchema>;

export const intelSummarySchema = pageOf(intelFeedSchema).extend({
  /** Distinct indicators in use: a value that two feeds name counts once. */
  indicators: z.number(),
  /** Left out because `detect.intel.max_indicators` was reached. */
  shed: z.number(),
  tableBytes: z.number(),
  builtMs: msSchema.nullable(),
});
export type IntelSummary = z.infer<typeof intelSummarySchema>;

export const intelRefreshRequestSchema = z.strictObject({
  feeds: z.array(z.string().min(1).max(64)).max(100).optional().describe('All that are enabled unless given'),
});

export const intelMatchSchema = z.object({
  type: z.enum(INDICATOR_TYPES),
  /** The indicator: the address or prefix, name, URL or fingerprint that a feed lists. */
  value: z.string(),
  feeds: z.array(z.string()),
  confidence: z.number(),
  label: z.string(),
  /** 0: as long as the feed lists it. */
  validUntilMs: msSchema,
});
export const intelLookupSchema = z.object({ matches: z.array(intelMatchSchema) });
export type IntelMatch = z.infer<typeof intelMatchSchema>;

export const intelOperations = defineOperations({
  listIntelFeeds: {
    method: 'get',
    path: '/intel/feeds',
    summary: 'Feeds of threat intelligence: state, indicators, errors',
    access: 'viewer',
    rate: 'read',
    status: 200,
    response: intelSummarySchema,
  },
  refreshIntel: {
    method: 'post',
    path: '/intel/refresh',
    summary: 'Fetch feeds now and put their indicators in use',
    access: 'operator',
    rate: 'heavy',
    body: intelRefreshRequestSchema,
    status: 200,
    response: intelSummarySchema,
  },
  lookupIntel: {
    method: 'get',
    path: '/intel/lookup',
    summary: 'What feeds say of an address, name, URL or fingerprint',
    access: 'viewer',
    rate: 'read',
    query: z.strictObject({ value: z.string().min(1).max(2048) }),
    status: 200,
    response: intelLookupSchema,
  },
});
