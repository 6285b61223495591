import type { AttackReference, Detection, Endpoints, EvidenceItem, Tier } from './detection.js';
import type { Severity } from './severity.js';

export const ALERT_STATES = ['open', 'escalated', 'archived'] as const;
export type AlertState = (typeof ALERT_STATES)[number];

export const LABEL_VERDICTS = ['true_positive', 'false_positive', 'unsure'] as const;
export type LabelVerdict = (typeof LABEL_VERDICTS)[number];

/** Merged detections on one offender and behaviour: what an analyst sees. */
export interface Alert extends Endpoints {
  /** UUIDv7. */
  id: string;
  /** Groups detections that belong together: offender + label + victim scope. */
  key: string;
  incidentId: string;
  sensor: string;
  title: string;
  label: string;
  category: string;
  /** All tiers that agree, strongest first. */
  tiers: Tier[];
  severity: Severity;
  score: number;
  confidence: number;
  offender: string;
  victim?: string;
  spoofable: boolean;
  attack?: AttackReference;
  signatureId: number;
  gid: number;
  rev: number;
  evidence: EvidenceItem[];
  metadata: Record<string, string[]>;
  /** Detections merged so far. */
  count: number;
  /** Epoch milliseconds. */
  firstMs: number;
  lastMs: number;
  state: AlertState;
  /** Never causes a verdict by itself. */
  noBlock: boolean;
  flowId?: number;
  communityId?: string;
  appProto?: string;
  /** Timestamps of the deciding packet and detection, microseconds since the epoch. */
  packetUs: number;
  detectedUs: number;
  features?: { schema: string; values: number[] };
  /** Distinct victims and destination ports seen, capped. */
  victims: string[];
  ports: number[];
}

/** Why the correlator speaks: a new alert, or one that grew enough to be judged again. */
export interface AlertUpdate {
  alert: Alert;
  isNew: boolean;
  latest: Detection;
}
