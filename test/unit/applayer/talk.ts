import { createAppLayer, type AppFlow, type AppLayer } from '../../../src/applayer/index.js';
import type { AppTransaction } from '../../../src/domain/app-layer.js';
import type { Direction } from '../../../src/domain/flow.js';

/** One side says something: `C` the client, `S` the server. */
export type Said = readonly ['C' | 'S', string | Uint8Array];

export interface Ends {
  src: string;
  srcPort: number;
  dst: string;
  dstPort: number;
}

const ENDS: Ends = { src: '192.0.2.1', srcPort: 40000, dst: '198.51.100.2', dstPort: 9999 };
export const latin1 = (d: Uint8Array): string => Buffer.from(d).toString('latin1');
export const bytes = (text: string | Uint8Array): Uint8Array =>
  typeof text === 'string' ? Buffer.from(text, 'latin1') : text;

export function openFlow(layer: AppLayer = createAppLayer({}), ends: Ends = ENDS): AppFlow {
  return layer.createFlow('tcp', ends, { src: () => ends.src, dst: () => ends.dst });
}

/** Plays a conversation in pieces of at most `size` bytes, and ends it. */
export function play(flow: AppFlow, said: readonly Said[], size = Infinity, end = true): AppFlow {
  const at = [0, 0];
  for (const [who, text] of said) {
    const direction: Direction = who === 'C' ? 0 : 1;
    const all = bytes(text);
    for (let from = 0; from < all.length; from += size) {
      const piece = all.subarray(from, Math.min(all.length, from + size));
      flow.onData(direction, piece, 0, piece.length, at[direction]!, 1);
      at[direction]! += piece.length;
    }
  }
  if (end) for (const d of [0, 1] as const) flow.onEnd(d, 2);
  return flow;
}

/** The values of a field over all transactions, as text. */
export function fieldOf(transactions: readonly AppTransaction[], name: string, direction: Direction): string[] {
  return transactions.flatMap((tx) => {
    const value = tx.buffer(name, direction);
    if (value === undefined) return [];
    return value instanceof Uint8Array ? [latin1(value)] : value.map(latin1);
  });
}
