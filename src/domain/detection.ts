import type { Severity } from './severity.js';

/** The tier that found it. */
export const TIERS = ['signature', 'behaviour', 'classification', 'anomaly', 'intel'] as const;
export type Tier = (typeof TIERS)[number];

/** Tiers that learn nothing from labels, so that their word can be held against one. */
export const INDEPENDENT_TIERS: readonly Tier[] = ['signature', 'behaviour', 'intel'];

/** Generator id of each tier in EVE output; signatures keep the gid of their rule (1 unless stated). */
export const TIER_GID: Readonly<Record<Tier, number>> = {
  signature: 1,
  behaviour: 2,
  classification: 3,
  anomaly: 4,
  intel: 5,
};

/** MITRE ATT&CK reference, e.g. tactic TA0043 Reconnaissance, technique T1046 Network Service Discovery. */
export interface AttackReference {
  tacticId?: string;
  tacticName?: string;
  techniqueId: string;
  techniqueName: string;
}

/** One number or text that supports a finding, in words a person understands. */
export interface EvidenceItem {
  /** Machine name: a feature, a counter, `matched_bytes`, `rule`. */
  name: string;
  value: number | string;
  unit?: string;
  /** What is usual here, when known. */
  usual?: number | string;
  /** Signed share of the score, for model explanations. */
  contribution?: number;
  /** A sentence for people: "212 distinct ports in 2 s; usual: 3". */
  text?: string;
}

/** The packet or flow a finding is about. Addresses are canonical text (RFC 5952). */
export interface Endpoints {
  srcIp: string;
  srcPort: number;
  dstIp: string;
  dstPort: number;
  /** IP protocol number; 0 when the finding spans several. */
  proto: number;
}

/** One detector's finding. */
export interface Detection extends Endpoints {
  /** UUIDv7. */
  id: string;
  tier: Tier;
  /** Stable id of the detector or rule within its tier. */
  signatureId: number;
  gid: number;
  rev: number;
  /** Machine label: `port_scan`, `ssh_brute_force`, a class name, or a rule's classtype. */
  label: string;
  /** What a person reads: the rule's message or the behaviour's name. */
  title: string;
  category: string;
  severity: Severity;
  /** Raw detector output 0..1. */
  score: number;
  /** Calibrated probability that it is what the label says, 0..1. */
  confidence: number;
  /** Address held responsible: usually the source, the other end for responses and C2. */
  offender: string;
  /** What suffers, when it is one thing. */
  victim?: string;
  /**
   * False once the offender has proved that it owns its address: completed handshake or two-way data.
   * The spoof gate refuses address-wide blocks while this is true.
   */
  spoofable: boolean;
  attack?: AttackReference;
  evidence: EvidenceItem[];
  metadata?: Record<string, string[]>;
  flowId?: number;
  communityId?: string;
  appProto?: string;
  /** For `noalert` rules and the like: may be correlated, never causes a verdict by itself. */
  noBlock?: boolean;
  /** Kernel timestamp of the packet that decided, microseconds since the epoch. */
  packetUs: number;
  /** When the detector emitted it, microseconds since the epoch. */
  detectedUs: number;
  /** Number of the deciding packet in the capture, offline. */
  packetNumber?: number;
  sensor: string;
  /** Findings of the same kind that were held back and are reported with this one. */
  repeats?: number;
  /** Feature vector behind a model detection, kept for labelling and retraining. */
  features?: { schema: string; values: number[] };
}
