/** Detections that make no alert: all fields that are given must match. */
export interface Suppression {
  id: string;
  /** Address or prefix. */
  offender?: string | undefined;
  victim?: string | undefined;
  label?: string | undefined;
  gid?: number | undefined;
  signatureId?: number | undefined;
  /** Epoch milliseconds after which it no longer holds; 0 = for ever. */
  untilMs: number;
  comment: string;
  /** Who made it. */
  owner: string;
  createdMs: number;
}

/** What a suppression has kept from becoming an alert. */
export interface SuppressionHits {
  count: number;
  lastMs: number;
}
