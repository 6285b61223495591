import { z } from 'zod';
import { INJECT_SAMPLES } from './inject-samples.js';
import { ACTIONS, ENFORCEMENTS, MODES, ORIGINS, SCOPES, TRAFFIC } from '../domain/decision.js';
import { TIERS } from '../domain/detection.js';
import { SEVERITIES } from '../domain/severity.js';
import { hostBaselineSchema } from './baseline.js';

/** Messages between the daemons: one JSON object a line. Raised when a message changes meaning. */
export const IPC_VERSION = 1;

const attack = z.object({
  tacticId: z.string().optional(),
  tacticName: z.string().optional(),
  techniqueId: z.string(),
  techniqueName: z.string(),
});

const evidenceItem = z.object({
  name: z.string(),
  value: z.union([z.number(), z.string()]),
  unit: z.string().optional(),
  usual: z.union([z.number(), z.string()]).optional(),
  contribution: z.number().optional(),
  text: z.string().optional(),
});

export const detectionSchema = z.object({
  id: z.string(),
  tier: z.enum(TIERS),
  signatureId: z.number(),
  gid: z.number(),
  rev: z.number(),
  label: z.string(),
  title: z.string(),
  category: z.string(),
  severity: z.enum(SEVERITIES),
  score: z.number(),
  confidence: z.number(),
  offender: z.string(),
  victim: z.string().optional(),
  spoofable: z.boolean(),
  attack: attack.optional(),
  evidence: z.array(evidenceItem),
  metadata: z.record(z.string(), z.array(z.string())).optional(),
  flowId: z.number().optional(),
  communityId: z.string().optional(),
  appProto: z.string().optional(),
  noBlock: z.boolean().optional(),
  packetUs: z.number(),
  detectedUs: z.number(),
  packetNumber: z.number().optional(),
  sensor: z.string(),
  repeats: z.number().int().min(0).optional(),
  features: z.object({ schema: z.string(), values: z.array(z.number()) }).optional(),
  srcIp: z.string(),
  srcPort: z.number(),
  dstIp: z.string(),
  dstPort: z.number(),
  proto: z.number(),
});

export const flowRecordSchema = z.object({
  flowId: z.number(),
  communityId: z.string(),
  ipVersion: z.union([z.literal(4), z.literal(6)]),
  proto: z.number(),
  srcIp: z.string(),
  srcPort: z.number(),
  dstIp: z.string(),
  dstPort: z.number(),
  startUs: z.number(),
  endUs: z.number(),
  packetsFwd: z.number(),
  packetsBwd: z.number(),
  bytesFwd: z.number(),
  bytesBwd: z.number(),
  payloadFwd: z.number(),
  payloadBwd: z.number(),
  tcpFlagsFwd: z.number(),
  tcpFlagsBwd: z.number(),
  tcpState: z.number(),
  endReason: z.enum(['idle', 'active', 'closed', 'reset', 'evicted', 'shutdown']),
  vlan: z.number(),
  interfaceId: z.number(),
  icmpType: z.number(),
  icmpCode: z.number(),
  appProto: z.string().optional(),
});

export const latencyTraceSchema = z.object({
  packetUs: z.number(),
  detectedUs: z.number(),
  alertUs: z.number(),
  decidedUs: z.number(),
  receivedUs: z.number(),
  kernelUs: z.number(),
});

export const decisionProofSchema = z.object({
  issuer: z.string(),
  signer: z.string(),
  reach: z.string(),
  version: z.number(),
  signature: z.string(),
});

export const decisionSchema = z.object({
  id: z.string(),
  action: z.enum(ACTIONS),
  scope: z.enum(SCOPES),
  value: z.string(),
  traffic: z.enum(TRAFFIC),
  proto: z.number().optional(),
  port: z.number().optional(),
  peer: z.string().optional(),
  peerPort: z.number().optional(),
  durationSecs: z.number().min(0),
  createdMs: z.number(),
  expiresMs: z.number(),
  origin: z.enum(ORIGINS),
  actor: z.string(),
  policy: z.string().optional(),
  policyVersion: z.number().optional(),
  reason: z.string(),
  alertIds: z.array(z.string()),
  incidentId: z.string().optional(),
  simulated: z.boolean(),
  mode: z.enum(MODES),
  step: z.number(),
  enforcement: z.enum(ENFORCEMENTS),
  error: z.string().optional(),
  set: z.string().optional(),
  trace: latencyTraceSchema,
  hitPackets: z.number().optional(),
  hitBytes: z.number().optional(),
  lastHitMs: z.number().optional(),
  proof: decisionProofSchema.optional(),
});

/** The members of a fleet, exactly as its authority signed them. */
export const signedRosterSchema = z.object({
  /** JSON of a roster, see contract/fleet.ts. */
  text: z.string().max(1024 * 1024),
  /** Ed25519 of the authority over the text, base64. */
  signature: z.string(),
});
export type SignedRoster = z.infer<typeof signedRosterSchema>;

export const enforcementReportSchema = z.object({
  decisionId: z.string(),
  enforcement: z.enum(ENFORCEMENTS),
  simulated: z.boolean(),
  set: z.string().optional(),
  error: z.string().optional(),
  note: z.string().optional(),
  kept: z.object({ durationSecs: z.number(), expiresMs: z.number() }).optional(),
  receivedUs: z.number(),
  kernelUs: z.number(),
});

export const protectedEntrySchema = z.object({
  value: z.string(),
  reason: z.enum([
    'own_address',
    'gateway',
    'resolver',
    'ntp',
    'siem',
    'database',
    'bus',
    'member',
    'admin_session',
    'console_session',
    'dhcp',
    'loopback',
    'configured',
  ]),
  detail: z.string(),
});

export const allowEntrySchema = z.object({
  id: z.string(),
  value: z.string(),
  owner: z.string(),
  comment: z.string(),
  createdMs: z.number(),
  expiresMs: z.number(),
});

/** Free-form counters a daemon reports once a second. */
export const statsSchema = z.record(z.string(), z.union([z.number(), z.string(), z.boolean()]));

export const helloSchema = z.object({
  type: z.literal('hello'),
  role: z.enum(['sensor', 'responder', 'inline']),
  version: z.number(),
  name: z.string(),
  pid: z.number(),
  info: z.record(z.string(), z.unknown()),
});

/** A live vector drawn by chance, with the raw scores of the models that saw it. */
export const scoredFlowSchema = z.object({
  atMs: z.number(),
  srcIp: z.string(),
  srcPort: z.number(),
  dstIp: z.string(),
  dstPort: z.number(),
  proto: z.number(),
  schema: z.string(),
  values: z.array(z.number()),
  scores: z.record(z.string(), z.number()),
  /** A model reported it. */
  reported: z.boolean(),
});
export type ScoredFlow = z.infer<typeof scoredFlowSchema>;

/** How a challenger and its champion agreed on the same live vectors since the last report. */
export const shadowCountSchema = z.object({
  model: z.string(),
  champion: z.string(),
  version: z.string(),
  rows: z.number(),
  both: z.number(),
  championOnly: z.number(),
  challengerOnly: z.number(),
});
export type ShadowCount = z.infer<typeof shadowCountSchema>;

export const sensorMessageSchema = z.discriminatedUnion('type', [
  helloSchema,
  z.object({ type: z.literal('detection'), detection: detectionSchema }),
  z.object({ type: z.literal('flows'), flows: z.array(flowRecordSchema) }),
  z.object({ type: z.literal('stats'), atMs: z.number(), stats: statsSchema }),
  /** Beginnings of the packets around a detection, base64. */
  z.object({
    type: z.literal('evidence'),
    detectionId: z.string(),
    linkType: z.number(),
    packets: z.array(z.object({ tsUs: z.number(), wireLen: z.number(), data: z.string() })),
  }),
  z.object({ type: z.literal('scoring'), samples: z.array(scoredFlowSchema), shadow: z.array(shadowCountSchema) }),
  /** What changed in the baselines of inside hosts. */
  z.object({ type: z.literal('baselines'), hosts: z.array(hostBaselineSchema) }),
  z.object({ type: z.literal('problem'), code: z.string(), message: z.string(), fix: z.string().optional() }),
]);

/** Server to sensor: start or stop capture, change interfaces, reload rules or models. */
export const sensorCommandSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('capture'), running: z.boolean(), interfaces: z.array(z.string()).optional() }),
  /** Test packets for the detectors; they never touch a wire. */
  z.object({
    type: z.literal('inject'),
    packets: z.array(z.string()).optional(),
    sample: z.enum(INJECT_SAMPLES).optional(),
    gapMs: z.number(),
  }),
  z.object({ type: z.literal('reload'), what: z.enum(['rules', 'models', 'intel', 'detectors']) }),
  /** Gives a sensor back what it had learned. */
  z.object({ type: z.literal('baselines'), hosts: z.array(hostBaselineSchema) }),
  z.object({ type: z.literal('forget_baseline'), host: z.string() }),
]);

export const responderMessageSchema = z.discriminatedUnion('type', [
  helloSchema,
  z.object({ type: z.literal('report'), reports: z.array(enforcementReportSchema) }),
  z.object({
    type: z.literal('state'),
    atMs: z.number(),
    backend: z.string(),
    desired: z.number(),
    enforced: z.number(),
    protected: z.array(protectedEntrySchema),
    stats: statsSchema,
  }),
  z.object({
    type: z.literal('hits'),
    atMs: z.number(),
    hits: z.array(z.object({ decisionId: z.string(), packets: z.number(), bytes: z.number() })),
  }),
  z.object({
    type: z.literal('incident'),
    severity: z.enum(SEVERITIES),
    code: z.string(),
    message: z.string(),
    details: statsSchema,
  }),
  z.object({ type: z.literal('answer'), requestId: z.string(), result: z.unknown() }),
  z.object({ type: z.literal('synced'), syncId: z.string() }),
]);

/** Server to responder. */
export const responderCommandSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('decide'), decision: decisionSchema }),
  z.object({ type: z.literal('release'), decisionId: z.string(), reason: z.string() }),
  /**
   * Everything that should be in force, sent after hello; a long list in parts with the same `syncId`, the next when the
   * responder has said `synced`. Without `syncId` it is the whole list.
   */
  z.object({
    type: z.literal('sync'),
    decisions: z.array(decisionSchema),
    syncId: z.string().optional(),
    last: z.boolean().optional(),
  }),
  z.object({ type: z.literal('allow'), entries: z.array(allowEntrySchema) }),
  z.object({ type: z.literal('protect'), entries: z.array(protectedEntrySchema) }),
  z.object({ type: z.literal('flush'), reason: z.string() }),
  /** A newer list of who belongs to the fleet; the responder checks the authority's signature itself. */
  z.object({ type: z.literal('roster'), roster: signedRosterSchema }),
  z.object({
    type: z.literal('ask'),
    requestId: z.string(),
    what: z.enum(['doctor', 'canary', 'explain', 'ruleset']),
    value: z.string().optional(),
  }),
]);

export type SensorMessage = z.infer<typeof sensorMessageSchema>;
export type SensorCommand = z.infer<typeof sensorCommandSchema>;
export type ResponderMessage = z.infer<typeof responderMessageSchema>;
export type ResponderCommand = z.infer<typeof responderCommandSchema>;
