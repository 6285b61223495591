import { z } from 'zod';
import { parseCidr } from '../util/ip.js';

const probability = z.number().min(0).max(1);

const suppressionSchema = z
  .strictObject({
    offender: z
      .string()
      .refine((text) => parseCidr(text) !== undefined, 'not an address or prefix')
      .optional()
      .describe('Address or prefix of the offender'),
    victim: z
      .string()
      .refine((text) => parseCidr(text) !== undefined, 'not an address or prefix')
      .optional()
      .describe('Address or prefix of the victim'),
    label: z.string().optional().describe('Label, e.g. port_scan'),
    gid: z.int().optional().describe('Generator id'),
    signatureId: z.int().optional().describe('Signature id, together with gid'),
    untilMs: z.number().default(0).describe('Epoch milliseconds after which it no longer holds; 0 for ever'),
    comment: z.string().default('').describe('Why'),
  })
  .refine((s) => [s.offender, s.victim, s.label, s.gid, s.signatureId].some((part) => part !== undefined), {
    message: 'a suppression needs at least one of offender, victim, label, gid, signatureId',
  });

/** Options of the correlator. */
export const correlateOptionsSchema = z.strictObject({
  alertIdleSecs: z
    .number()
    .min(1)
    .max(604_800)
    .default(900)
    .describe('Seconds without a detection after which the next one opens a new alert'),
  incidentIdleSecs: z
    .number()
    .min(1)
    .max(2_592_000)
    .default(3600)
    .describe('Seconds without an alert of the offender after which the next one opens a new incident'),
  minUpdateMs: z.int().min(0).max(3_600_000).default(1000).describe('Milliseconds between two updates of one alert'),
  confidenceStep: probability.default(0.1).describe('Rise in confidence that is worth an update'),
  countFactor: z.number().min(1.1).max(1000).default(2).describe('Growth of the count that is worth an update'),
  agreeSecs: z
    .number()
    .min(1)
    .max(604_800)
    .default(3600)
    .describe('Seconds for which what another tier said about the same offender and kind of behaviour still counts'),
  explainSecs: z
    .number()
    .min(0.1)
    .max(1_000_000)
    .default(90)
    .describe(
      'Seconds after a behaviour of a source in which what a model says of its flows belongs to that alert; more than detect.behaviour.realert_secs',
    ),
  modelWaitMs: z
    .int()
    .min(0)
    .max(60_000)
    .default(2000)
    .describe('Milliseconds that a finding of a model alone waits for a behaviour that explains it; 0: not at all'),
  repeatSecs: z
    .number()
    .min(1)
    .max(86_400)
    .default(10)
    .describe('Seconds since its last update after which a further detection is told however little the alert grew'),
  scopeByVictim: z
    .array(z.string())
    .default([])
    .describe('Labels whose alerts are kept apart by victim, not only by offender'),
  maxAlerts: z
    .int()
    .min(16)
    .max(10_000_000)
    .default(50_000)
    .describe('Open alerts; the longest quiet is closed beyond'),
  maxOffenders: z
    .int()
    .min(16)
    .max(10_000_000)
    .default(20_000)
    .describe('Offenders and incidents remembered, likewise'),
  maxEvidence: z.int().min(1).max(1000).default(32).describe('Evidence items an alert'),
  maxVictims: z.int().min(1).max(10_000).default(64).describe('Victims listed an alert'),
  maxPorts: z.int().min(1).max(65_536).default(64).describe('Destination ports listed an alert'),
  suppress: z.array(suppressionSchema).default([]).describe('Detections that make no alert'),
});

export type CorrelateOptions = z.infer<typeof correlateOptionsSchema>;
