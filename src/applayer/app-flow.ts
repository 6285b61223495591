import type { AppProto, AppTransaction, StreamSink } from '../domain/app-layer.js';
import type { ProtocolSides } from './sides.js';

/** One flow's application protocol: found from its bytes, whatever the port, then parsed. */
export interface AppFlow extends StreamSink {
  /** Undefined until it is known; stays so when the flow's bytes are of no protocol that is parsed. */
  readonly proto: AppProto | undefined;
  /** The search for a protocol is over. */
  readonly isDecided: boolean;
  /** The flow's source is the server: transactions name directions by server and client, not by the flow. */
  readonly isReversed: boolean;
  /** Both directions are encrypted from here on. */
  readonly isEncrypted: boolean;
  /** What each direction is known to speak. */
  readonly sides: ProtocolSides;
  /** Oldest first, not yet released. */
  readonly transactions: readonly AppTransaction[];
  release(transaction: AppTransaction): void;
}

/** Addresses of a flow's source and destination as text, asked for only when a protocol names addresses. */
export interface FlowEnds {
  src(): string;
  dst(): string;
}

/** Addresses of a flow by role, as text, asked for only when a protocol names addresses. */
export interface FlowAddresses {
  client(): string;
  server(): string;
}
