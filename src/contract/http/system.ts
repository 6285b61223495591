import { z } from 'zod';
import { MODES } from '../../domain/decision.js';
import { SEVERITIES } from '../../domain/severity.js';
import { statsSchema } from '../ipc.js';
import { confirmSecsSchema, pendingChangeSchema } from './changes.js';
import { msSchema, nameParamsSchema, pageOf, sensorParamsSchema } from './common.js';
import { defineOperations } from './operation.js';

export const sensorStatusSchema = z.object({
  name: z.string(),
  connected: z.boolean(),
  /** Capture is on. */
  running: z.boolean(),
  interfaces: z.array(z.string()),
  packets: z.number(),
  /** Packets lost before the sensor could read them. */
  kernelDrops: z.number(),
  /** Packets a second. */
  packetRate: z.number(),
  /** Flows in the table now. */
  flows: z.number(),
  lastSeenMs: msSchema,
  /** Everything else the sensor counts. */
  stats: statsSchema,
});
export type SensorStatus = z.infer<typeof sensorStatusSchema>;

export const siemStatusSchema = z.object({
  name: z.string(),
  /** misconfigured: the receiver refuses us; nothing is lost, it waits for the operator. */
  state: z.enum(['ok', 'retrying', 'misconfigured', 'disabled']),
  format: z.string(),
  transport: z.string(),
  /** Host and port, path or URL without credentials. */
  target: z.string(),
  backlog: z.number(),
  confirmed: z.number(),
  dropped: z.number(),
  lastError: z.string().nullable(),
});
export type SiemStatus = z.infer<typeof siemStatusSchema>;

/** The last proof that a block blocks, and when the next is due. */
export const canaryStatusSchema = z.object({
  /** null: none since the server started. */
  lastMs: msSchema.nullable(),
  ok: z.boolean().nullable(),
  /** What failed, or that nothing did. */
  detail: z.string(),
  /** null: it is not scheduled. */
  nextMs: msSchema.nullable(),
});

/** Something that went wrong in a daemon lately, as it was told to the SIEM. */
export const systemProblemSchema = z.object({
  atMs: msSchema,
  component: z.string(),
  severity: z.enum(SEVERITIES),
  code: z.string(),
  message: z.string(),
});
export type SystemProblem = z.infer<typeof systemProblemSchema>;

export const statusSchema = z.object({
  version: z.string(),
  mode: z.enum(MODES),
  paused: z.object({ untilMs: msSchema }).nullable(),
  uptimeSecs: z.number(),
  sensors: z.array(sensorStatusSchema),
  responder: z.object({
    connected: z.boolean(),
    backend: z.string(),
    desired: z.number(),
    enforced: z.number(),
    /** Times the kernel state differed and was put right. */
    healed: z.number(),
  }),
  /** Packet to kernel acknowledgement of blocks made by policy. */
  latency: z.object({ count: z.number(), p50Us: z.number(), p95Us: z.number(), p99Us: z.number() }),
  alerts: z.object({ lastHour: z.number(), open: z.number() }),
  decisions: z.object({ active: z.number(), simulated: z.number() }),
  siem: z.array(siemStatusSchema),
  database: z.object({ kind: z.enum(['sqlite', 'mysql']), ok: z.boolean() }),
  /** Changes that still wait for their confirmation. */
  changes: z.array(pendingChangeSchema).optional(),
  canary: canaryStatusSchema.optional(),
  /** Of the last day, newest first. */
  problems: z.array(systemProblemSchema).optional(),
});
export type Status = z.infer<typeof statusSchema>;

/** `confirmSecs`: go back to the mode before unless it is confirmed in this time, see `confirmChange`. */
export const modeRequestSchema = z.strictObject({ mode: z.enum(MODES), confirmSecs: confirmSecsSchema.optional() });
export const PAUSE_MAX_SECS = 24 * 3600;
export const pauseRequestSchema = z.strictObject({ secs: z.number().int().min(1).max(PAUSE_MAX_SECS) });

export const siemTestResponseSchema = z.object({
  ok: z.boolean(),
  /** Exactly what was sent, framing and headers included. */
  sent: z.string(),
  /** What the receiver answered, or how it confirmed. */
  answer: z.string(),
});
export type SiemTestResult = z.infer<typeof siemTestResponseSchema>;

export const checkSchema = z.object({
  /** Machine name, e.g. `ruleset.order`. */
  name: z.string(),
  status: z.enum(['ok', 'warning', 'failed', 'skipped']),
  /** What was found. */
  message: z.string(),
  fix: z.string().optional(),
});
export type Check = z.infer<typeof checkSchema>;
export const doctorResponseSchema = z.object({ ok: z.boolean(), checks: z.array(checkSchema) });
export type DoctorResult = z.infer<typeof doctorResponseSchema>;
export const canaryResponseSchema = z.object({
  /** False also when nothing could be proved: see `unprovable`. */
  ok: z.boolean(),
  /** Nothing was proved and nothing is wrong: why it cannot be proved on this box. */
  unprovable: z.string().optional(),
  /** The steps in order, with what each took. */
  steps: z.array(z.object({ name: z.string(), ok: z.boolean(), ms: z.number(), message: z.string() })),
});
export type CanaryResult = z.infer<typeof canaryResponseSchema>;

/** `interfaces` replaces the list of captured interfaces. */
export const captureRequestSchema = z.strictObject({
  running: z.boolean(),
  interfaces: z
    .array(z.string().regex(/^[A-Za-z0-9_.:@-]{1,15}$/))
    .min(1)
    .max(16)
    .optional(),
});

/** Outside /api/v1. Always 200 while the process lives. */
export const healthSchema = z.object({
  status: z.enum(['ok', 'degraded']),
  version: z.string(),
  uptimeSecs: z.number(),
  components: z.record(z.string(), z.object({ ok: z.boolean(), detail: z.string() })),
});
export type Health = z.infer<typeof healthSchema>;

export const systemOperations = defineOperations({
  getStatus: {
    method: 'get',
    path: '/status',
    summary: 'Is it alive and really enforcing?',
    access: 'viewer',
    rate: 'read',
    status: 200,
    response: statusSchema,
  },
  setMode: {
    method: 'put',
    path: '/mode',
    summary: 'Observe, suggest or enforce',
    access: 'operator',
    rate: 'write',
    body: modeRequestSchema,
    status: 200,
    response: statusSchema,
  },
  pause: {
    method: 'post',
    path: '/pause',
    summary: 'Make no new decisions for a while',
    access: 'operator',
    rate: 'write',
    body: pauseRequestSchema,
    status: 200,
    response: statusSchema,
  },
  resume: {
    method: 'delete',
    path: '/pause',
    summary: 'End the pause now',
    access: 'operator',
    rate: 'write',
    status: 200,
    response: statusSchema,
  },
  listSiem: {
    method: 'get',
    path: '/siem',
    summary: 'SIEM destinations with backlog and receipts',
    access: 'viewer',
    rate: 'read',
    status: 200,
    response: pageOf(siemStatusSchema),
  },
  testSiem: {
    method: 'post',
    path: '/siem/:name/test',
    summary: 'Send one test message and report the answer',
    access: 'operator',
    rate: 'heavy',
    params: nameParamsSchema,
    status: 200,
    response: siemTestResponseSchema,
  },
  doctor: {
    method: 'get',
    path: '/system/doctor',
    summary: 'What is wrong on this box, and the fix',
    access: 'analyst',
    rate: 'heavy',
    status: 200,
    response: doctorResponseSchema,
  },
  canary: {
    method: 'post',
    path: '/system/canary',
    summary: 'Prove end to end that a block blocks',
    access: 'operator',
    rate: 'heavy',
    status: 200,
    response: canaryResponseSchema,
  },
  listSensors: {
    method: 'get',
    path: '/sensors',
    summary: 'Sensors and their counters',
    access: 'viewer',
    rate: 'read',
    status: 200,
    response: pageOf(sensorStatusSchema),
  },
  setCapture: {
    method: 'post',
    path: '/sensors/:name/capture',
    summary: 'Start or stop capture, or change the interfaces',
    access: 'operator',
    rate: 'write',
    params: sensorParamsSchema,
    body: captureRequestSchema,
    status: 200,
    response: sensorStatusSchema,
  },
});
