import { z } from 'zod';
import { MODES } from '../../domain/decision.js';
import { protectedEntrySchema } from '../ipc.js';
import { msSchema, pageOf, sentenceSchema } from './common.js';
import { defineOperations } from './operation.js';
import { siemStatusSchema } from './system.js';

export const SETTING_SOURCES = ['default', 'file', 'environment', 'console'] as const;

/** One key of the effective configuration. */
export const settingSchema = z.object({
  /** As in the configuration file: `policy.home_networks`. */
  key: z.string(),
  /** Null when it is not set; `***` for a secret that is set. */
  value: z.unknown().nullable(),
  default: z.unknown().nullable(),
  source: z.enum(SETTING_SOURCES),
  description: z.string(),
  secret: z.boolean(),
  /** The console may change it. */
  changeable: z.boolean(),
  /** When a change counts: at once, or when the daemons start again. */
  applies: z.enum(['now', 'restart']),
  /** Changed in the console, and not yet in force. */
  pending: z.boolean(),
  /** JSON schema of the value of a changeable key, for the form. */
  schema: z.record(z.string(), z.unknown()).optional(),
});
export type Setting = z.infer<typeof settingSchema>;

export const settingsPatchSchema = z.strictObject({
  /** Null takes the console's value away: the file or the default counts again. */
  changes: z.record(z.string().regex(/^[a-z0-9_]+(\.[a-z0-9_]+)*$/), z.json()).refine((c) => {
    const size = Object.keys(c).length;
    return size > 0 && size <= 50;
  }, 'give 1 to 50 changes'),
  reason: sentenceSchema(500),
});
export type SettingsPatch = z.infer<typeof settingsPatchSchema>;

export const networkInterfaceSchema = z.object({
  name: z.string(),
  addresses: z.array(z.string()),
  up: z.boolean(),
  loopback: z.boolean(),
  /** A sensor captures on it now. */
  captured: z.boolean(),
  /** The default route goes out here. */
  uplink: z.boolean(),
});
export type NetworkInterface = z.infer<typeof networkInterfaceSchema>;

export const learningSchema = z.object({
  /** Until then the mode is observe. */
  untilMs: msSchema,
  /** What the mode becomes then. */
  thenMode: z.enum(MODES),
});

/** Everything that the first-run wizard shows. */
export const setupSchema = z.object({
  /** Someone has been through the wizard. */
  finished: z.boolean(),
  interfaces: z.array(networkInterfaceSchema),
  homeNetworks: z.array(z.string()),
  /** Networks of the box's own addresses that are not among the home networks. */
  suggestedNetworks: z.array(z.string()),
  protected: z.array(protectedEntrySchema),
  siem: z.array(siemStatusSchema),
  mode: z.enum(MODES),
  learning: learningSchema.nullable(),
  /** The last canary run since the server started. */
  canary: z.object({ ok: z.boolean(), atMs: msSchema }).nullable(),
  /** Alerts and simulated blocks since learning began: what enforcing would have meant. */
  observed: z.object({ sinceMs: msSchema, alerts: z.number(), simulatedBlocks: z.number(), flows: z.number() }),
});
export type Setup = z.infer<typeof setupSchema>;

export const setupChangeSchema = z.strictObject({
  interfaces: z
    .array(z.string().regex(/^[A-Za-z0-9_.:@-]{1,15}$/))
    .min(1)
    .max(16)
    .optional(),
  homeNetworks: z.array(z.string().min(2).max(64)).min(1).max(256).optional(),
  /** 0 ends learning now; the mode stays as it is. */
  learning: z
    .strictObject({
      secs: z
        .number()
        .int()
        .min(0)
        .max(60 * 86400),
      thenMode: z.enum(MODES),
    })
    .optional(),
  finished: z.boolean().optional(),
});
export type SetupChange = z.infer<typeof setupChangeSchema>;

export const settingsOperations = defineOperations({
  listSettings: {
    method: 'get',
    path: '/settings',
    summary: 'The effective configuration: value, source and meaning of every key; secrets are masked',
    access: 'operator',
    rate: 'read',
    status: 200,
    response: pageOf(settingSchema),
  },
  patchSettings: {
    method: 'patch',
    path: '/settings',
    summary: 'Change settings that the console may change; all or none',
    access: 'admin',
    rate: 'write',
    body: settingsPatchSchema,
    status: 200,
    response: pageOf(settingSchema),
  },
  getSetup: {
    method: 'get',
    path: '/setup',
    summary: 'What the first-run wizard needs: interfaces, networks, protected set, SIEM, learning, canary, mode',
    access: 'operator',
    rate: 'read',
    status: 200,
    response: setupSchema,
  },
  putSetup: {
    method: 'put',
    path: '/setup',
    summary: 'Answers of the first-run wizard; what is left out stays',
    access: 'admin',
    rate: 'write',
    body: setupChangeSchema,
    status: 200,
    response: setupSchema,
  },
});
