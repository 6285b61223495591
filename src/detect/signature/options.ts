import { z } from 'zod';

/** Options of the signature engine; keys become snake_case in the configuration file. */
export const signatureOptionsSchema = z.strictObject({
  rules: z.array(z.string().min(1)).default([]).describe('Rule files; empty: those shipped with Portcullis'),
  classification: z.string().optional().describe('classification.config with classes and priorities'),
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
