export const ACTIONS = ['watch', 'rate_limit', 'block'] as const;
export type Action = (typeof ACTIONS)[number];

export const SCOPES = ['ip', 'cidr', 'service', 'flow'] as const;
export type Scope = (typeof SCOPES)[number];

export const ORIGINS = ['policy', 'operator', 'api', 'feed', 'siem'] as const;
export type Origin = (typeof ORIGINS)[number];

/** State of a decision in the kernel; `simulated` decisions end in `applied` on the dry-run backend. */
export const ENFORCEMENTS = ['pending', 'applied', 'rejected', 'expired', 'revoked', 'failed'] as const;
export type Enforcement = (typeof ENFORCEMENTS)[number];

export const MODES = ['observe', 'suggest', 'enforce'] as const;
export type Mode = (typeof MODES)[number];

/** Which traffic of the address is meant: from it (ingress) or to it (egress: quarantine of an inside host). */
export const TRAFFIC = ['from', 'to', 'both'] as const;
export type Traffic = (typeof TRAFFIC)[number];

/** Steps of the latency path, microseconds since the epoch; 0 where the step was not taken. */
export interface LatencyTrace {
  /** Kernel timestamp of the deciding packet. */
  packetUs: number;
  detectedUs: number;
  alertUs: number;
  decidedUs: number;
  /** The responder received it. */
  receivedUs: number;
  /** The kernel acknowledged the set element. */
  kernelUs: number;
}

/** Who in a fleet says a decision, how far it reaches, and the signature that proves it. */
export interface DecisionProof {
  /** Member that made the decision. */
  issuer: string;
  /** Member that says this version: the issuer, or a server. */
  signer: string;
  /** `all`, `site:NAME` or `box:NAME`. */
  reach: string;
  /** Later versions replace earlier ones; epoch milliseconds when it was said. */
  version: number;
  /** Ed25519, base64. */
  signature: string;
}

/** A stored, time-limited instruction. */
export interface Decision {
  /** UUIDv7. */
  id: string;
  action: Action;
  scope: Scope;
  /** Address or prefix in canonical text; IPv4-mapped IPv6 is written as IPv4. */
  value: string;
  traffic: Traffic;
  /** For scope `service` and `flow`: IP protocol number and the port on the protected side. */
  proto?: number;
  port?: number;
  /** Only for scope `flow`: the other end's address; `port` is the port there, `peerPort` the port at `value`. */
  peer?: string;
  peerPort?: number;
  /** Seconds; 0 = until revoked. */
  durationSecs: number;
  /** Epoch milliseconds. */
  createdMs: number;
  /** Epoch milliseconds; 0 = never. */
  expiresMs: number;
  origin: Origin;
  /** Policy name, user name, feed name or API client. */
  actor: string;
  policy?: string;
  policyVersion?: number;
  /** A sentence for people. */
  reason: string;
  alertIds: string[];
  incidentId?: string;
  /** True when the mode was observe or suggest: counted, never enforced. */
  simulated: boolean;
  mode: Mode;
  /** Rung of the response ladder, 0-based, for catch-and-release. */
  step: number;
  enforcement: Enforcement;
  /** Why it was rejected or failed. */
  error?: string;
  /** Kernel set that holds it. */
  set?: string;
  trace: LatencyTrace;
  /** Packets and bytes stopped since it was applied, as last read from the kernel. */
  hitPackets?: number;
  hitBytes?: number;
  lastHitMs?: number;
  /** Present where a fleet carries it. */
  proof?: DecisionProof;
}

/** What happened to a decision in the kernel, as the responder reports it. */
export interface EnforcementReport {
  decisionId: string;
  enforcement: Enforcement;
  simulated: boolean;
  set?: string;
  error?: string;
  /** How it is carried out, when that is not plain: several elements, simulated by a limit. */
  note?: string;
  /** A renewal was rejected: the decision stays in force as it was, until then. */
  kept?: { durationSecs: number; expiresMs: number };
  receivedUs: number;
  kernelUs: number;
}

/** An address or prefix that must never be blocked, and why. */
export interface ProtectedEntry {
  value: string;
  reason:
    | 'own_address'
    | 'gateway'
    | 'resolver'
    | 'ntp'
    | 'siem'
    | 'database'
    | 'bus'
    | 'member'
    | 'admin_session'
    | 'console_session'
    | 'dhcp'
    | 'loopback'
    | 'configured';
  /** Where it was found: an interface, a file, a process. */
  detail: string;
}

/** An operator's exemption from blocking. */
export interface AllowEntry {
  id: string;
  /** Address, prefix or DNS name. */
  value: string;
  owner: string;
  comment: string;
  createdMs: number;
  /** 0 = never. */
  expiresMs: number;
}
