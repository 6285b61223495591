import { z } from 'zod';
import { inlineDropSchema } from './inline.js';
import {
  allowEntrySchema,
  decisionProofSchema,
  decisionSchema,
  detectionSchema,
  enforcementReportSchema,
  flowRecordSchema,
  statsSchema,
} from './ipc.js';

/** `box`: sensor and responder, decides for itself. `server`: console, database, work for the whole fleet. */
export const FLEET_ROLES = ['box', 'server'] as const;
export type FleetRole = (typeof FLEET_ROLES)[number];

/** Names are parts of subjects and of certificates: lower case, no dots. */
export const fleetNameSchema = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'lower case letters, digits and hyphens');

export const fleetMemberSchema = z.strictObject({
  name: fleetNameSchema,
  role: z.enum(FLEET_ROLES),
  site: fleetNameSchema,
  /** Ed25519 public key, SPKI DER in base64. */
  key: z.string(),
});
export type FleetMember = z.infer<typeof fleetMemberSchema>;

/** Who belongs to a fleet. A higher serial replaces a lower one. */
export const rosterSchema = z.strictObject({
  fleet: fleetNameSchema,
  serial: z.number().int().min(1),
  members: z.array(fleetMemberSchema),
});
export type Roster = z.infer<typeof rosterSchema>;

/** A member's own folder, `member.json`: what it is and where the bus is. */
export const memberFileSchema = z.strictObject({
  fleet: fleetNameSchema,
  name: fleetNameSchema,
  role: z.enum(FLEET_ROLES),
  site: fleetNameSchema,
  /** Ed25519 public key of the authority, SPKI DER in base64: the root of trust. */
  authority: z.string(),
  /** host:port of the NATS servers. */
  servers: z.array(z.string()).min(1),
  /** Copies that JetStream keeps. */
  replicas: z.number().int().min(1).max(5),
});
export type MemberFile = z.infer<typeof memberFileSchema>;

/** What a member says about a decision: it is in force, or it was lifted before its time. */
export const statementSchema = z.discriminatedUnion('state', [
  z.object({ state: z.literal('active'), decision: decisionSchema.extend({ proof: decisionProofSchema }) }),
  z.object({
    state: z.literal('released'),
    id: z.string(),
    actor: z.string(),
    reason: z.string(),
    /** A mistake: the offences are forgotten too. */
    forgive: z.boolean(),
    /** Until then it is remembered, epoch milliseconds. */
    keepMs: z.number(),
    proof: decisionProofSchema,
  }),
]);
export type StatementInput = z.infer<typeof statementSchema>;

/** One task of the work queue: a message of its own, or one of several in a {@link workBatchSchema}. */
export const workSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('detection'),
    detection: detectionSchema,
    /** What the box has decided on it, so that a server does not decide again. */
    decision: decisionSchema.optional(),
  }),
  z.object({
    type: z.literal('evidence'),
    detectionId: z.string(),
    linkType: z.number(),
    packets: z.array(z.object({ tsUs: z.number(), wireLen: z.number(), data: z.string() })),
  }),
  z.object({ type: z.literal('flows'), flows: z.array(flowRecordSchema) }),
  /** Packets that the inline daemon of a box has stopped. */
  z.object({ type: z.literal('drops'), drops: z.array(inlineDropSchema) }),
]);

/** A message with several tasks, each with the id that a message of its own would have. */
export const workBatchSchema = z.object({
  type: z.literal('batch'),
  ids: z.array(z.string()),
  work: z.array(z.unknown()),
});

export const fleetReportsSchema = z.object({ reports: z.array(enforcementReportSchema) });

/** What people set at a server and every member follows. A higher version replaces a lower one. */
export const fleetSettingsSchema = z.object({
  version: z.number().int().positive(),
  /** The allowlist, names together with the addresses that they stand for. */
  allow: z.array(allowEntrySchema).max(50_000),
  /** Until then no policy makes a new block, epoch milliseconds; 0 when it is not paused. */
  pausedUntilMs: z.number(),
});
export type FleetSettings = z.infer<typeof fleetSettingsSchema>;

/** A policy that people saved at a server, for every member. Of two texts of one name the higher version counts. */
export const fleetPolicySchema = z.object({
  version: z.number().int().positive(),
  /** null: taken back; the file of this name, if a member has one, is in force again. */
  yaml: z
    .string()
    .max(256 * 1024)
    .nullable(),
  /** Its number in the history of the database, so that decisions of all members name the same. */
  policyVersion: z.number().int().min(0),
  actor: z.string(),
  comment: z.string(),
  savedMs: z.number(),
});
export type FleetPolicy = z.infer<typeof fleetPolicySchema>;

/** Addresses of a member's own interfaces, which no other member may block. */
export const fleetAddressesSchema = z.object({
  version: z.number().int().positive(),
  addresses: z.array(z.string()).max(32),
});
export type FleetAddresses = z.infer<typeof fleetAddressesSchema>;

/** Whom a server works with and who is at its console: single addresses that no member may block. */
export const fleetPeerListSchema = z.object({
  version: z.number().int().positive(),
  entries: z
    .array(
      z.object({
        value: z.string().max(64),
        reason: z.enum(['siem', 'database', 'console_session']),
        detail: z.string().max(500),
        /** Epoch milliseconds; 0: until the server says something else. */
        expiresMs: z.number(),
      }),
    )
    .max(512),
});
export type FleetPeerList = z.infer<typeof fleetPeerListSchema>;
/** One that a server names. */
export type FleetPeer = FleetPeerList['entries'][number];

/** What a member says under a key of its own or of the fleet, as it signs it. */
export const signedEntrySchema = z.object({ signer: fleetNameSchema, text: z.string(), signature: z.string() });
export type SignedEntry = z.infer<typeof signedEntrySchema>;

/** Which policies a member judges by. */
export const policiesInForceSchema = z.object({
  count: z.number(),
  /** The same for the same policies, whatever file or server they came from. */
  digest: z.string(),
  /** `fleet`: files and what was saved at any server; `own`: the files of the box alone (`fleet.policies`). */
  source: z.enum(['fleet', 'own']),
  /** When the newest of those saved at a server was saved; 0 without one. Epoch milliseconds. */
  savedMs: z.number(),
});
export type PoliciesInForce = z.infer<typeof policiesInForceSchema>;

/** Health of a member, written under its name every second. */
export const heartbeatSchema = z.object({
  name: fleetNameSchema,
  role: z.enum(FLEET_ROLES),
  site: fleetNameSchema,
  version: z.string(),
  mode: z.string(),
  startedMs: z.number(),
  atMs: z.number(),
  sensor: z.object({
    connected: z.boolean(),
    interfaces: z.array(z.string()),
    packets: z.number(),
    bytes: z.number(),
    kernelDrops: z.number(),
    flows: z.number(),
  }),
  responder: z.object({
    connected: z.boolean(),
    backend: z.string(),
    desired: z.number(),
    enforced: z.number(),
  }),
  /** Decisions of the fleet known here, and how long after they were said they came, p95. */
  decisions: z.object({
    known: z.number(),
    heard: z.number(),
    refused: z.number(),
    waiting: z.number(),
    lagP95Ms: z.number(),
  }),
  /** Detections and flow reports that wait for the bus, and what a full spool has dropped. */
  spool: z.object({ waiting: z.number(), bytes: z.number(), dropped: z.number() }),
  /** Policies in force there; members of earlier versions do not tell. */
  policies: policiesInForceSchema.optional(),
  stats: statsSchema,
});
export type Heartbeat = z.infer<typeof heartbeatSchema>;
