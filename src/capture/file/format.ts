import type { PacketBlock } from '../../domain/packet.js';

/**
 * Reads one capture file format from a growing window of bytes. The window begins at the first byte that was
 * not consumed yet; `streamOffset` is its place in the stream, for messages.
 */
export interface FormatReader {
  /**
   * Hands over every complete packet in `data[from .. to]`.
   * @returns bytes consumed; more than `to - from` asks to skip what has not arrived yet.
   * @throws AppError `capture.corrupt` after the good packets before it were handed over.
   */
  read(window: Window, from: number, to: number): number;
  /** Number of packets handed over so far. */
  readonly packets: number;
}

/** The bytes a reader looks at; packets are handed over in place, without copying. */
export interface Window {
  data: Uint8Array;
  view: DataView;
  /** Position in the stream of `data[0]`. */
  streamOffset: number;
}

export type OnBlock = (block: PacketBlock) => void;

/** Largest packet record that is believed; libpcap's own limit is 256 KiB, a few link types go beyond. */
export const MAX_RECORD_BYTES = 1 << 20;

/** Packets of one block: enough to make the call per block cheap, small enough for its columns to stay cached. */
export const BLOCK_PACKETS = 2048;
