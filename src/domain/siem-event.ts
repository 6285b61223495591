import type { AttackReference, EvidenceItem, Tier } from './detection.js';
import type { Severity } from './severity.js';

/** Version of {@link SiemEvent}; raised when a field changes meaning. */
export const SIEM_EVENT_VERSION = 1;

export interface SiemEndpoint {
  ip: string;
  port?: number;
  mac?: string;
}

interface SiemEventBase {
  version: typeof SIEM_EVENT_VERSION;
  /** UUIDv7: the de-duplication key everywhere. */
  id: string;
  /** Epoch milliseconds. */
  tsMs: number;
  sensor: string;
  severity: Severity;
  /** What a person reads. */
  message: string;
  /** Set when something was cut to fit the receiver's size limit. */
  truncated?: boolean;
}

export interface SiemAlertEvent extends SiemEventBase {
  kind: 'alert';
  /** The alert it reports; differs from `id` when an alert is reported again because it grew. */
  alertId?: string;
  gid: number;
  signatureId: number;
  rev: number;
  title: string;
  label: string;
  category: string;
  tiers: Tier[];
  /** 0..100. */
  score: number;
  confidence: number;
  attack?: AttackReference;
  src: SiemEndpoint;
  dst: SiemEndpoint;
  /** IP protocol number, 0 = unknown. */
  proto: number;
  appProto?: string;
  direction?: 'inbound' | 'outbound' | 'internal';
  communityId?: string;
  flowId?: number;
  bytesFwd?: number;
  bytesBwd?: number;
  packetsFwd?: number;
  packetsBwd?: number;
  count: number;
  firstMs: number;
  lastMs: number;
  /** What was done about it. */
  action: 'allowed' | 'blocked' | 'simulated';
  decisionId?: string;
  incidentId?: string;
  interfaceName?: string;
  evidence: EvidenceItem[];
}

export interface SiemDecisionEvent extends SiemEventBase {
  kind: 'decision';
  op: 'block' | 'unblock' | 'extend' | 'simulated' | 'refused';
  decisionId: string;
  action: string;
  scope: string;
  target: string;
  proto?: number;
  port?: number;
  durationSecs: number;
  /** Epoch milliseconds; 0 = never. */
  expiresMs: number;
  policy?: string;
  origin: string;
  actor: string;
  /** Set only when the actor is a person. */
  user?: string;
  reason: string;
  alertIds: string[];
  set?: string;
  outcome: 'success' | 'failure';
  error?: string;
  /** Packet-to-kernel latency in microseconds, for blocks made by policy. */
  latencyUs?: number;
  hitPackets?: number;
  hitBytes?: number;
  /** Copied from the alert for CIM's recommended fields. */
  signature?: string;
  category?: string;
  dst?: SiemEndpoint;
}

export interface SiemHealthEvent extends SiemEventBase {
  kind: 'health';
  component: string;
  status: 'ok' | 'warning' | 'failed';
  details: Record<string, string | number>;
}

export interface SiemGapEvent extends SiemEventBase {
  kind: 'gap';
  destination?: string;
  dropped: number;
  fromMs: number;
  toMs: number;
  cause: string;
}

export interface SiemAuditEvent extends SiemEventBase {
  kind: 'audit';
  user: string;
  address: string;
  action: string;
  object: string;
  outcome: 'success' | 'failure';
  details: Record<string, string | number>;
}

/** What leaves for a SIEM, before any format. */
export type SiemEvent = SiemAlertEvent | SiemDecisionEvent | SiemHealthEvent | SiemGapEvent | SiemAuditEvent;
