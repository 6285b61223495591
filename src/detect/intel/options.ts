import { z } from 'zod';

const HOURS_MAX = 24 * 366;

/** One source of indicators. */
export const feedSchema = z
  .strictObject({
    name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'letters, digits, . _ -'),
    kind: z
      .enum(['list', 'csv', 'stix', 'taxii', 'misp'])
      .describe(
        'list: one value a line; csv: one column of a table; stix: a STIX 2.1 bundle; taxii: collections of a TAXII 2.1 server; misp: a MISP feed folder, event or attribute export',
      ),
    url: z
      .string()
      .min(1)
      .describe('http, https or file URL, or a path; for taxii the API root, or one collection of it'),
    enabled: z.boolean().default(true).describe('Fetch and use it'),
    refreshMinutes: z
      .int()
      .min(5)
      .max(HOURS_MAX * 60)
      .default(60)
      .describe('Minutes between fetches'),
    confidence: z
      .number()
      .min(0)
      .max(1)
      .default(0.7)
      .describe('How sure an indicator is where the feed does not say, 0 to 1'),
    label: z
      .string()
      .min(1)
      .max(64)
      .default('malicious')
      .describe('What its indicators are, where the feed does not say'),
    validDays: z
      .int()
      .min(0)
      .max(3660)
      .default(0)
      .describe('Days that an indicator stays in use after the feed dated it; 0: as long as the feed lists it'),
    column: z.int().min(1).max(100).default(1).describe('csv: column of the value, from 1'),
    delimiter: z.string().length(1).default(',').describe('csv: what separates columns'),
    block: z
      .boolean()
      .default(false)
      .describe('Put its addresses and prefixes into the kernel as blocks, in the mode of the box'),
    blockMinConfidence: z
      .number()
      .min(0)
      .max(1)
      .default(0.8)
      .describe('Least confidence of an address that is blocked'),
    username: z.string().min(1).optional().describe('User name for HTTP basic authentication'),
    secretFile: z
      .string()
      .min(1)
      .optional()
      .describe('File with the password, or with the token when there is no user name'),
    tokenHeader: z
      .string()
      .regex(/^[A-Za-z0-9-]{1,64}$/)
      .optional()
      .describe('Header that carries the token as it is (MISP: Authorization); a bearer token unless given'),
    privateAddresses: z
      .boolean()
      .default(false)
      .describe('Use private and other special addresses too; a feed about the internet has none to name'),
    maxMiB: z.int().min(1).max(1024).default(64).describe('Most that is read of one answer, MiB'),
  })
  .refine((feed) => feed.username === undefined || feed.secretFile !== undefined, {
    message: 'a user name needs secret_file with the password',
  });
export type FeedOptions = z.output<typeof feedSchema>;

export const intelOptionsSchema = z.strictObject({
  feeds: z
    .array(feedSchema)
    .max(100)
    .default([])
    .refine((feeds) => new Set(feeds.map((f) => f.name)).size === feeds.length, 'two feeds have the same name')
    .describe('Sources of indicators'),
  maxIndicators: z
    .int()
    .min(1000)
    .max(20_000_000)
    .default(1_000_000)
    .describe('Most indicators in use, all feeds together (about 45 bytes each in every sensor)'),
  realertSecs: z
    .int()
    .min(1)
    .max(86_400)
    .default(600)
    .describe('The same indicator and inside host are reported at most once in this time'),
});
export type IntelOptions = z.output<typeof intelOptionsSchema>;
