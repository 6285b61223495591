import type { CaptureStats, PacketBlock } from '../domain/packet.js';

/** Where packets come from. All sources hand over blocks, so the cost of a call is shared by many packets. */
export interface PacketSource {
  /** For people: the interface or file name. */
  readonly name: string;
  /**
   * Delivers blocks until the input ends, the signal aborts (both resolve) or the source fails (rejects).
   * The block and its bytes are valid only until `onBlock` returns; an exception of `onBlock` ends the run.
   */
  run(onBlock: (block: PacketBlock) => void, signal: AbortSignal): Promise<void>;
  stats(): CaptureStats;
  /** Frees what the source holds; may be called at any time and more than once. */
  close(): void;
}
