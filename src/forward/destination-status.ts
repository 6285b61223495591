export const DESTINATION_STATES = ['starting', 'ok', 'retrying', 'misconfigured', 'disabled'] as const;
export type DestinationState = (typeof DESTINATION_STATES)[number];

/** What an operator wants to know about a destination. */
export interface DestinationStatus {
  name: string;
  preset: string;
  format: string;
  protocol: string;
  /** `host:port`, URL or path. */
  target: string;
  guarantee: 'at-least-once' | 'best-effort';
  state: DestinationState;
  /** Empty, or what a person should know even while it works. */
  warning: string;
  /** Handed to the receiver; counts repeats. */
  sent: number;
  confirmed: number;
  /** Sent again because a confirmation did not come. */
  resent: number;
  /** Not wanted by the filter. */
  filtered: number;
  /** Merged into others by the rate limit. */
  merged: number;
  /** Lost to limits or damage; each is in a `gap` event. */
  dropped: number;
  /** In the dead-letter file. */
  dead: number;
  /** Age of the oldest event that is read but not confirmed. */
  lagSecs: number;
  backlogEvents: number;
  backlogBytes: number;
  lastError: string;
  /** Epoch milliseconds; 0 = never. */
  lastErrorMs: number;
  lastConfirmedMs: number;
}
