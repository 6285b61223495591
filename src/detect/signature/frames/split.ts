import type { Direction } from '../../../domain/flow.js';

/** A part of one message: its kind, and where it lies, counted from the message's first byte; `to` is -1 while nobody knows. */
export type Part = readonly [type: string, from: number, to: number];

/** One message at the front of what a side has sent. */
export interface Split {
  parts: readonly Part[];
  /**
   * Bytes of the message, also when they have not all come; Infinity: up to the end of the stream. Undefined when that is not
   * known yet: the splitter is asked again with more bytes.
   */
  length: number | undefined;
}

/**
 * Finds the message that `data` begins with.
 * @param side 0: sent to the server. @param known what was learned of the flow from messages before.
 * @returns undefined when more bytes are needed to tell, or the bytes are no message of the protocol.
 */
export type Splitter = (data: Uint8Array, side: Direction, known: FlowKnowledge) => Split | undefined;

/** What a side says that the other side's messages are read by. */
export interface FlowKnowledge {
  /** Of NFS, by the last call; 0 before. */
  nfsVersion: number;
}

export const be16 = (d: Uint8Array, at: number): number => (d[at]! << 8) | d[at + 1]!;
export const be32 = (d: Uint8Array, at: number): number => ((be16(d, at) << 16) | be16(d, at + 2)) >>> 0;

/** A message that is a header and data. */
export function inTwo(
  names: readonly [whole: string, head: string, data: string],
  head: number,
  length: number,
): Part[] {
  const parts: Part[] = [
    [names[0], 0, length],
    [names[1], 0, Math.min(head, length)],
  ];
  if (length > head) parts.push([names[2], head, length]);
  return parts;
}
