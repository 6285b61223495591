import { z } from 'zod';
import { listQuerySchema, msSchema, nameParamsSchema, pageOf } from './common.js';
import { defineOperations } from './operation.js';

/** Everything about one destination. */
export const siemDetailSchema = z.object({
  name: z.string(),
  /** misconfigured: the receiver refuses us (certificate, token, name); nothing is lost, it waits for the operator. */
  state: z.enum(['starting', 'ok', 'retrying', 'misconfigured', 'disabled']),
  /** Empty, or what a person should know even while it works. */
  warning: z.string(),
  preset: z.string(),
  format: z.string(),
  transport: z.string(),
  /** Host and port, path or URL without credentials. */
  target: z.string(),
  guarantee: z.enum(['at-least-once', 'best-effort']),
  /** Handed to the receiver; counts repeats. */
  sent: z.number(),
  confirmed: z.number(),
  resent: z.number(),
  filtered: z.number(),
  merged: z.number(),
  dropped: z.number(),
  dead: z.number(),
  lagSecs: z.number(),
  backlogEvents: z.number(),
  backlogBytes: z.number(),
  lastError: z.string().nullable(),
  lastErrorMs: msSchema.nullable(),
  lastConfirmedMs: msSchema.nullable(),
});
export type SiemDetail = z.infer<typeof siemDetailSchema>;

/** The receiver confirmed a run of events. */
export const siemReceiptSchema = z.object({
  atMs: msSchema,
  events: z.number(),
  /** Refused by the receiver for good: in the dead letters. */
  rejected: z.number(),
  /** How it was confirmed, in words. */
  how: z.string(),
  /** Time between the first event of the run being sent and the confirmation, milliseconds. */
  tookMs: z.number(),
  /** Events of a replay, not of the usual run. */
  replay: z.boolean(),
});
export type SiemReceipt = z.infer<typeof siemReceiptSchema>;

/** Events that a destination lost, as it was told in a `gap` event. */
export const siemGapSchema = z.object({
  id: z.string(),
  atMs: msSchema,
  fromMs: msSchema,
  toMs: msSchema,
  dropped: z.number(),
  cause: z.string(),
  /** Events of this time span that the spool still holds: what a replay would send. */
  replayable: z.number(),
});
export type SiemGap = z.infer<typeof siemGapSchema>;

export const siemReplayRequestSchema = z
  .strictObject({
    /** Time span of the events, epoch milliseconds, both ends included. */
    fromMs: msSchema.min(0),
    toMs: msSchema.min(0),
  })
  .refine((span) => span.toMs >= span.fromMs, 'toMs must not be before fromMs');

/** Sending again what the spool still holds of a time span. */
export const siemReplaySchema = z.object({
  fromMs: msSchema,
  toMs: msSchema,
  startedMs: msSchema,
  /** none: nothing was sent again since the server started; everything else is then 0. */
  state: z.enum(['none', 'running', 'done', 'failed']),
  /** Events of the span in the spool. */
  events: z.number(),
  confirmed: z.number(),
  /** Empty unless it failed. */
  error: z.string(),
});
export type SiemReplay = z.infer<typeof siemReplaySchema>;

/** An event that the receiver refused for good. */
export const siemDeadLetterSchema = z.object({
  atMs: msSchema,
  reason: z.string(),
  eventId: z.string(),
  kind: z.string(),
  message: z.string(),
});
export type SiemDeadLetter = z.infer<typeof siemDeadLetterSchema>;

/** What became of one event at one destination. */
export const siemDeliverySchema = z.object({
  destination: z.string(),
  /**
   * confirmed: the receiver has it. waiting: not yet. filtered: not wanted there. merged: in a summary, by the rate limit.
   * dropped: by the rate limit, reported as a gap. dead: refused for good. unsent: older than the destination.
   * unknown: passed before this server started, and a gap of that time may have been it.
   */
  state: z.enum(['confirmed', 'waiting', 'filtered', 'merged', 'dropped', 'dead', 'unsent', 'unknown']),
  /** When the receiver confirmed it; null when not, or before this server started. */
  confirmedMs: msSchema.nullable(),
});

/** Did the SIEM get it? One entry for each event about the alert or decision. */
export const siemDeliveriesSchema = z.object({
  id: z.string(),
  events: z.array(
    z.object({
      eventId: z.string(),
      atMs: msSchema,
      kind: z.string(),
      message: z.string(),
      deliveries: z.array(siemDeliverySchema),
    }),
  ),
});
export type SiemDeliveries = z.infer<typeof siemDeliveriesSchema>;

/** What a reload of the `siem:` section did. */
export const siemReloadSchema = z.object({
  added: z.array(z.string()),
  changed: z.array(z.string()),
  removed: z.array(z.string()),
  unchanged: z.array(z.string()),
});
export type SiemReload = z.infer<typeof siemReloadSchema>;

const deliveryParams = z.strictObject({ id: z.string().regex(/^[0-9A-Za-z-]{8,64}$/) });

export const siemOperations = defineOperations({
  getSiem: {
    method: 'get',
    path: '/siem/:name',
    summary: 'One destination with its counters, lag and last error',
    access: 'viewer',
    rate: 'read',
    params: nameParamsSchema,
    status: 200,
    response: siemDetailSchema,
  },
  listSiemReceipts: {
    method: 'get',
    path: '/siem/:name/receipts',
    summary: 'The last confirmations of the receiver, newest first',
    access: 'viewer',
    rate: 'read',
    params: nameParamsSchema,
    query: listQuerySchema,
    status: 200,
    response: pageOf(siemReceiptSchema),
  },
  listSiemGaps: {
    method: 'get',
    path: '/siem/:name/gaps',
    summary: 'Events that this destination lost, and what of them can be sent again; newest first',
    access: 'viewer',
    rate: 'read',
    params: nameParamsSchema,
    query: listQuerySchema,
    status: 200,
    response: pageOf(siemGapSchema),
  },
  listSiemDeadLetters: {
    method: 'get',
    path: '/siem/:name/dead-letters',
    summary: 'Events that the receiver refused for good, newest first',
    access: 'viewer',
    rate: 'read',
    params: nameParamsSchema,
    query: listQuerySchema,
    status: 200,
    response: pageOf(siemDeadLetterSchema),
  },
  replaySiem: {
    method: 'post',
    path: '/siem/:name/replay',
    summary: 'Send again what the spool still holds of a time span; receivers drop repeats by event id',
    access: 'operator',
    rate: 'heavy',
    params: nameParamsSchema,
    body: siemReplayRequestSchema,
    status: 201,
    response: siemReplaySchema,
  },
  getSiemReplay: {
    method: 'get',
    path: '/siem/:name/replay',
    summary: 'The last replay of this destination; its state is none when there was none since the server started',
    access: 'viewer',
    rate: 'read',
    params: nameParamsSchema,
    status: 200,
    response: siemReplaySchema,
  },
  getSiemDeliveries: {
    method: 'get',
    path: '/siem-deliveries/:id',
    summary: 'Did the SIEM get it? By the id of an alert, a decision or an event',
    access: 'viewer',
    rate: 'heavy',
    params: deliveryParams,
    status: 200,
    response: siemDeliveriesSchema,
  },
  reloadSiem: {
    method: 'post',
    path: '/siem-reload',
    summary:
      'Read the siem section of the configuration file again; destinations that did not change go on undisturbed',
    access: 'admin',
    rate: 'heavy',
    status: 200,
    response: siemReloadSchema,
  },
});
