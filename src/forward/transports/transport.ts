import type { SiemEvent } from '../../domain/siem-event.js';

/** A formatted event on its way out. */
export interface Message {
  event: SiemEvent;
  body: string;
}

/** What became of messages that the receiver refused for good. */
export interface Rejected {
  message: Message;
  reason: string;
}

/** The exact bytes of an exchange, kept only when asked for by a test. */
export interface Exchange {
  sent: string;
  answer: string;
}

/**
 * Carries messages to one receiver. `write` hands over; only `confirm` says that the receiver has them. Both throw
 * {@link DeliveryError}; then everything since the last confirmation counts as not delivered.
 */
export interface Transport {
  /** How often to confirm; the destination asks for it. */
  readonly policy: { maxEvents: number; maxMs: number; idleMs: number };
  /** How long a small batch may wait for more: requests cost more than lines. */
  readonly lingerMs: number;
  /** Longest text that the transport adds to a body, in bytes. */
  readonly overheadBytes: number;
  /** `at-least-once`, or `best-effort` when nothing confirms. */
  readonly guarantee: 'at-least-once' | 'best-effort';
  /** What a person should know: a degraded confirmation, an unchecked certificate. */
  readonly warning: string;
  write(messages: readonly Message[]): Promise<void>;
  /** Messages refused for good since the last confirmation. */
  confirm(): Promise<Rejected[]>;
  /** Drops connections; what is unconfirmed stays unconfirmed. */
  reset(): void;
  close(): Promise<void>;
  /** Bytes and answer of what was written since it was made. */
  exchange(): Exchange;
}

export type FailureKind = 'retry' | 'misconfigured';

/** Why delivery failed: worth a quick retry, or waiting for the operator. */
export class DeliveryError extends Error {
  readonly kind: FailureKind;
  /** Milliseconds that the receiver asked us to wait; 0 when it did not say. */
  readonly retryAfterMs: number;

  constructor(kind: FailureKind, message: string, retryAfterMs = 0) {
    super(message);
    this.name = 'DeliveryError';
    this.kind = kind;
    this.retryAfterMs = retryAfterMs;
  }
}
