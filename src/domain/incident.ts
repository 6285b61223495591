import type { Severity } from './severity.js';

export const INCIDENT_STATES = ['new', 'open', 'resolved', 'false_positive'] as const;
export type IncidentState = (typeof INCIDENT_STATES)[number];

/** Alerts grouped by offender, with owner and state. */
export interface Incident {
  /** UUIDv7. */
  id: string;
  offender: string;
  title: string;
  severity: Severity;
  state: IncidentState;
  owner?: string;
  alertCount: number;
  labels: string[];
  /** Epoch milliseconds. */
  firstMs: number;
  lastMs: number;
}
