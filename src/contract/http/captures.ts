import { z } from 'zod';
import { DURATION_MAX_SECS, idParamsSchema, listQuerySchema, msSchema, pageOf } from './common.js';
import { defineOperations } from './operation.js';
import { packetDetailSchema, packetNumberSchema, packetPageSchema, packetQuerySchema } from './packets.js';
import { POLICY_YAML_MAX } from './policies.js';

/** A capture file that was uploaded. */
export const captureSchema = z.object({
  id: z.string(),
  name: z.string(),
  format: z.enum(['pcap', 'pcapng']),
  bytes: z.number(),
  sha256: z.string(),
  packets: z.number(),
  /** Time of the first and last packet, microseconds since the epoch; 0 without packets. */
  firstUs: z.number(),
  lastUs: z.number(),
  user: z.string(),
  createdMs: msSchema,
});
export type Capture = z.infer<typeof captureSchema>;

/** A file name as people know it; it never becomes a path. */
export const captureNameSchema = z
  .string()
  .trim()
  .min(1)
  .max(128)
  .regex(/^[^\u0000-\u001f\u007f/\\]*$/, 'control characters and slashes are not allowed');
export const captureUploadQuerySchema = z.strictObject({ name: captureNameSchema });

export const JOB_STATES = ['queued', 'running', 'done', 'failed', 'cancelled'] as const;

/** What one set of policies would have done. */
export const jobVerdictSchema = z.object({
  decisions: z.number(),
  offenders: z.number(),
  /** Decisions by action. */
  actions: z.record(z.string(), z.number()),
});
export const jobResultSchema = z.object({
  packets: z.number(),
  bytes: z.number(),
  flows: z.number(),
  detections: z.number(),
  alerts: z.number(),
  /** Alerts by label, most first. */
  labels: z.array(z.object({ label: z.string(), alerts: z.number() })),
  severities: z.array(z.object({ severity: z.string(), alerts: z.number() })),
  tookMs: z.number(),
  /** True when there were more alerts than are kept. */
  truncated: z.boolean(),
  active: jobVerdictSchema,
  /** Present when the job had a candidate. */
  candidate: jobVerdictSchema.optional(),
});
export const jobSchema = z.object({
  id: z.string(),
  captureId: z.string(),
  captureName: z.string(),
  user: z.string(),
  state: z.enum(JOB_STATES),
  /** 0..1. */
  progress: z.number(),
  packets: z.number(),
  createdMs: msSchema,
  startedMs: msSchema.nullable(),
  endedMs: msSchema.nullable(),
  /** Why it failed. */
  error: z.string().nullable(),
  options: z.object({ models: z.boolean(), behaviour: z.boolean(), signatures: z.boolean(), candidate: z.boolean() }),
  result: jobResultSchema.nullable(),
});
export type Job = z.infer<typeof jobSchema>;

export const jobRequestSchema = z.strictObject({
  captureId: z.uuid(),
  signatures: z.boolean().default(true),
  behaviour: z.boolean().default(true),
  models: z.boolean().default(true),
  /** Text of a policy that replaces the one of its name, or comes in addition: compared with the policies in force. */
  candidate: z.string().min(1).max(POLICY_YAML_MAX).optional(),
});
export type JobRequest = z.output<typeof jobRequestSchema>;

/** An alert of a job: what the list shows of it. */
export const jobAlertSchema = z.object({
  id: z.string(),
  title: z.string(),
  label: z.string(),
  severity: z.string(),
  tiers: z.array(z.string()),
  confidence: z.number(),
  offender: z.string(),
  victim: z.string().optional(),
  srcIp: z.string(),
  srcPort: z.number(),
  dstIp: z.string(),
  dstPort: z.number(),
  proto: z.number(),
  count: z.number(),
  firstMs: msSchema,
  lastMs: msSchema,
  /** Number of the deciding packet in the capture, where it is known. */
  packetNumber: z.number().optional(),
  evidence: z.array(z.object({ name: z.string(), value: z.union([z.number(), z.string()]) })),
});
export type JobAlert = z.infer<typeof jobAlertSchema>;

/** What would have been blocked, and by which of the two sets of policies. */
export const jobBlockSchema = z.object({
  side: z.enum(['active', 'candidate', 'both']),
  action: z.string(),
  scope: z.string(),
  value: z.string(),
  port: z.number().optional(),
  durationSecs: z.number().max(DURATION_MAX_SECS),
  policy: z.string(),
  /** Only where the two differ: what the candidate does instead. */
  candidate: z.object({ action: z.string(), durationSecs: z.number(), policy: z.string() }).optional(),
  reason: z.string(),
  alertTitle: z.string(),
  atMs: msSchema,
});
export type JobBlock = z.infer<typeof jobBlockSchema>;

const packetParams = idParamsSchema.extend({ number: packetNumberSchema });

export const captureOperations = defineOperations({
  listCaptures: {
    method: 'get',
    path: '/captures',
    summary: 'Uploaded captures, newest first',
    access: 'viewer',
    rate: 'read',
    query: listQuerySchema,
    status: 200,
    response: pageOf(captureSchema),
  },
  uploadCapture: {
    method: 'post',
    path: '/captures',
    summary: 'Upload a pcap or pcapng file (application/octet-stream)',
    access: 'analyst',
    rate: 'heavy',
    query: captureUploadQuerySchema,
    upload: true,
    status: 201,
    response: captureSchema,
  },
  getCapture: {
    method: 'get',
    path: '/captures/:id',
    summary: 'One uploaded capture',
    access: 'viewer',
    rate: 'read',
    params: idParamsSchema,
    status: 200,
    response: captureSchema,
  },
  removeCapture: {
    method: 'delete',
    path: '/captures/:id',
    summary: 'Remove a capture and its jobs',
    access: 'analyst',
    rate: 'write',
    params: idParamsSchema,
    status: 204,
  },
  downloadCapture: {
    method: 'get',
    path: '/captures/:id/file',
    summary: 'The file as it was uploaded',
    access: 'analyst',
    rate: 'heavy',
    params: idParamsSchema,
    status: 200,
    download: ['application/vnd.tcpdump.pcap', 'application/octet-stream'],
  },
  listPackets: {
    method: 'get',
    path: '/captures/:id/packets',
    summary: 'Packets of a capture in order; q: ip: port: proto: -x',
    access: 'analyst',
    rate: 'read',
    params: idParamsSchema,
    query: packetQuerySchema,
    status: 200,
    response: packetPageSchema,
  },
  getPacket: {
    method: 'get',
    path: '/captures/:id/packets/:number',
    summary: 'One packet: layers and bytes',
    access: 'analyst',
    rate: 'read',
    params: packetParams,
    status: 200,
    response: packetDetailSchema,
  },
  listJobs: {
    method: 'get',
    path: '/jobs',
    summary: 'Analysis jobs, newest first',
    access: 'viewer',
    rate: 'read',
    query: listQuerySchema,
    status: 200,
    response: pageOf(jobSchema),
  },
  addJob: {
    method: 'post',
    path: '/jobs',
    summary: 'Run the detectors and policies over a capture; nothing is blocked',
    access: 'analyst',
    rate: 'heavy',
    body: jobRequestSchema,
    status: 201,
    response: jobSchema,
  },
  getJob: {
    method: 'get',
    path: '/jobs/:id',
    summary: 'State, progress and result of a job',
    access: 'viewer',
    rate: 'read',
    params: idParamsSchema,
    status: 200,
    response: jobSchema,
  },
  removeJob: {
    method: 'delete',
    path: '/jobs/:id',
    summary: 'Cancel a job that runs; remove one that has ended',
    access: 'analyst',
    rate: 'write',
    params: idParamsSchema,
    status: 204,
  },
  listJobAlerts: {
    method: 'get',
    path: '/jobs/:id/alerts',
    summary: 'Alerts of a job in the order of the capture; q: words of title, label or addresses',
    access: 'viewer',
    rate: 'read',
    params: idParamsSchema,
    query: listQuerySchema,
    status: 200,
    response: pageOf(jobAlertSchema),
  },
  listJobBlocks: {
    method: 'get',
    path: '/jobs/:id/blocks',
    summary: 'What would have been blocked; with a candidate, by which policies; q: words',
    access: 'viewer',
    rate: 'read',
    params: idParamsSchema,
    query: listQuerySchema,
    status: 200,
    response: pageOf(jobBlockSchema),
  },
});
