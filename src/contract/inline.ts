import { z } from 'zod';
import { SEVERITIES } from '../domain/severity.js';
import { detectionSchema, helloSchema, statsSchema } from './ipc.js';

/** What becomes of a packet. `drop_flow` cuts the connection; for TCP so does `drop`, since a stream cannot go on without it. */
export const INLINE_VERDICTS = ['drop', 'reject', 'drop_flow', 'mark'] as const;
export const inlineVerdictSchema = z.enum(INLINE_VERDICTS);
export type InlineVerdict = z.infer<typeof inlineVerdictSchema>;

/** off: nothing is queued; observe: what would be dropped is counted; enforce: it is dropped. */
export const INLINE_MODES = ['off', 'observe', 'enforce'] as const;
export const inlineModeSchema = z.enum(INLINE_MODES);
export type InlineMode = z.infer<typeof inlineModeSchema>;

/** Packets of one connection (or of one sender, without one) that one rule stopped. */
export const inlineDropSchema = z.object({
  id: z.string(),
  verdict: inlineVerdictSchema,
  /** Only counted: observe mode. */
  simulated: z.boolean(),
  /** The rule, or why else: `decision`, `conflict`, `exception:memory`. */
  gid: z.number(),
  signatureId: z.number(),
  title: z.string(),
  severity: z.enum(SEVERITIES),
  policy: z.string(),
  srcIp: z.string(),
  srcPort: z.number(),
  dstIp: z.string(),
  dstPort: z.number(),
  proto: z.number(),
  packets: z.number(),
  bytes: z.number(),
  firstMs: z.number(),
  lastMs: z.number(),
});
export type InlineDrop = z.infer<typeof inlineDropSchema>;

const latencySchema = z.object({ count: z.number(), p50Us: z.number(), p95Us: z.number(), p99Us: z.number() });

/** Where the time of a packet goes: in the kernel's queue, decoding, judging, and until its verdict was sent. */
export const INLINE_STAGES = ['wait', 'decode', 'judge', 'verdict'] as const;
export type InlineStage = (typeof INLINE_STAGES)[number];
const stagesSchema = z.record(z.enum(INLINE_STAGES), z.object({ p50Us: z.number(), p99Us: z.number() }));
export type InlineStages = z.infer<typeof stagesSchema>;

/** One process's share of the work. */
export const inlineWorkerSchema = z.object({
  /** Number of its queue. */
  queue: z.number(),
  /** False: it has shown no life for `alive_ms`, or is being started. */
  alive: z.boolean(),
  overloaded: z.boolean(),
  held: z.number(),
  judged: z.number(),
  latency: latencySchema,
});

/** How the queue is doing. */
export const inlineStateSchema = z.object({
  mode: inlineModeSchema,
  backend: z.string(),
  /** judging; letting go: overload; closed: nothing is queued. */
  state: z.enum(['judging', 'overloaded', 'off']),
  /** Packets that wait in the kernel, of all queues. */
  queueDepth: z.number(),
  /** Packets held until earlier ones come. */
  held: z.number(),
  latency: latencySchema,
  /** By stage, of several processes the slowest; a daemon of an older version does not say. */
  stages: stagesSchema.optional(),
  /** Share of the chosen traffic that the kernel forwarded without asking, of its bytes. */
  bypassedShare: z.number(),
  counts: z.record(z.string(), z.number()),
  /** By process; a daemon of an older version does not say. */
  workers: z.array(inlineWorkerSchema).optional(),
});
export type InlineState = z.infer<typeof inlineStateSchema>;

export const inlineMessageSchema = z.discriminatedUnion('type', [
  helloSchema,
  z.object({ type: z.literal('detection'), detection: detectionSchema }),
  z.object({ type: z.literal('state'), atMs: z.number(), state: inlineStateSchema }),
  z.object({ type: z.literal('drops'), drops: z.array(inlineDropSchema) }),
  /** Judging began or ended, or something went wrong. */
  z.object({
    type: z.literal('transition'),
    severity: z.enum(SEVERITIES),
    code: z.string(),
    message: z.string(),
    details: statsSchema,
  }),
]);
export type InlineMessage = z.infer<typeof inlineMessageSchema>;

export const inlineCommandSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('mode'), mode: inlineModeSchema }),
  /** Policies in force, as the server parsed them. */
  z.object({ type: z.literal('policies'), policies: z.array(z.unknown()) }),
  /** Addresses and prefixes whose packets must never reach the queue. */
  z.object({ type: z.literal('exempt'), addresses: z.array(z.string()) }),
  /** A decision just made: packets that are queued already do not pass either. */
  z.object({ type: z.literal('block'), value: z.string() }),
  z.object({ type: z.literal('reload') }),
]);
export type InlineCommand = z.infer<typeof inlineCommandSchema>;
