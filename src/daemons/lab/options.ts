import { z } from 'zod';

/** `lab:` section of the configuration: uploaded captures and their analysis. */
export const labOptionsSchema = z.strictObject({
  max_bytes: z
    .number()
    .int()
    .min(1024 * 1024)
    .default(5 * 1024 * 1024 * 1024)
    .describe('Bytes of uploaded captures kept together; an upload beyond is refused'),
  max_captures: z.number().int().min(1).max(1000).default(100).describe('Uploaded captures kept'),
  keep_days: z.number().min(0).default(30).describe('Uploaded captures are removed after this time; 0 = never'),
  max_jobs: z.number().int().min(1).max(1000).default(200).describe('Analysis jobs kept; the oldest ended go first'),
  max_alerts: z.number().int().min(100).max(100_000).default(10_000).describe('Alerts kept of one job'),
  timeout_secs: z.number().int().min(10).default(3600).describe('An analysis ends after this time in any case'),
  heap_mib: z.number().int().min(256).max(16_384).default(2048).describe('Memory bound of the process that analyses'),
});
export type LabOptions = z.output<typeof labOptionsSchema>;
