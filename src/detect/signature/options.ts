import { z } from 'zod';

const ruleSourceSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/)
    .describe('Name in reports and of its folder'),
  url: z
    .string()
    .min(1)
    .describe('http, https or file URL, or a path: of a tar archive (also .tar.gz), a folder, or one .rules file'),
  enabled: z.boolean().default(true).describe('Fetch it; its rules stay in force when false'),
  checksum: z
    .enum(['auto', 'required', 'off'])
    .default('auto')
    .describe('auto: compare with URL.sha256 or URL.md5 when published; required: refuse without one'),
  sha256: z
    .string()
    .regex(/^[0-9a-fA-F]{64}$/)
    .optional()
    .describe('SHA-256 of the download, for a version that never changes'),
  headers: z.record(z.string(), z.string()).default({}).describe('HTTP headers, such as an Authorization'),
});
export type RuleSourceOptions = z.output<typeof ruleSourceSchema>;

/** Options of the signature engine; keys become snake_case in the configuration file. */
export const signatureOptionsSchema = z.strictObject({
  rules: z.array(z.string().min(1)).default([]).describe('Rule files; empty: those shipped with Portcullis'),
  classification: z.string().optional().describe('classification.config with classes and priorities'),
  folder: z
    .string()
    .optional()
    .describe('Folder of fetched rules with disable.conf, enable.conf, drop.conf and modify.conf; data_dir/rules'),
  sources: z.array(ruleSourceSchema).default([]).describe('Where `portcullis rules update` fetches rules'),
  updateIntervalHours: z
    .int()
    .min(0)
    .max(24 * 366)
    .default(24)
    .describe('Hours between fetches of the sources by the server; 0: only when asked'),
  reputation: z
    .strictObject({
      categories: z.string().min(1).describe('File of categories: number, short name, description'),
      files: z
        .array(z.string().min(1))
        .min(1)
        .describe('Lists: address or prefix, number of the category, score 0..127'),
    })
    .optional()
    .describe('Reputation lists for the keyword iprep'),
  geoip: z.string().optional().describe('MaxMind DB file with countries, for the keyword geoip'),
  threshold: z.string().optional().describe('threshold.config with suppressions and thresholds by sid'),
  addresses: z
    .record(z.string(), z.string())
    .default({})
    .describe('Address variables of rules, such as HOME_NET: "[192.0.2.0/24]"'),
  ports: z
    .record(z.string(), z.string())
    .default({})
    .describe('Port variables of rules, such as HTTP_PORTS: "[80,8080]"'),
  maxAlertsPerPacket: z.int().min(1).max(1000).default(15).describe('Alerts kept for one packet, the first by order'),
  maxThresholdEntries: z.int().min(100).max(10_000_000).default(200_000).describe('Counters of thresholds'),
  maxHostBits: z.int().min(100).max(10_000_000).default(200_000).describe('Bits remembered for hosts and pairs'),
  maxDatasetEntries: z.int().min(100).max(100_000_000).default(1_000_000).describe('Values in one dataset'),
});
export type SignatureInput = z.input<typeof signatureOptionsSchema>;
export type SignatureOptions = z.output<typeof signatureOptionsSchema>;
