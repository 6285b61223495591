import { createAppLayer, type AppFlow } from '../../../src/applayer/index.js';
import type { AppTransaction } from '../../../src/domain/app-layer.js';
import type { Direction } from '../../../src/domain/flow.js';
import { latin1 } from './talk.js';

type Part = number | string | Uint8Array | readonly Part[];

/** Bytes of numbers, Latin-1 texts and lists of them. */
export function join(...parts: Part[]): Uint8Array {
  const flat = (part: Part): number[] => {
    if (typeof part === 'number') return [part];
    if (typeof part === 'string') return [...Buffer.from(part, 'latin1')];
    return part instanceof Uint8Array ? [...part] : part.flatMap(flat);
  };
  return Uint8Array.from(parts.flatMap(flat));
}

export const be16 = (n: number): number[] => [(n >>> 8) & 255, n & 255];
export const be32 = (n: number): number[] => [...be16(n >>> 16), ...be16(n)];
export const le16 = (n: number): number[] => be16(n).reverse();
export const le32 = (n: number): number[] => be32(n).reverse();

/** One element of BER with a length of one or three bytes. */
export function ber(tag: number, ...content: Part[]): Uint8Array {
  const body = join(...content);
  return join(tag, body.length < 128 ? body.length : [0x82, ...be16(body.length)], body);
}

/** Datagrams of one flow; `C` from the client. */
export function exchange(dstPort: number, said: readonly (readonly ['C' | 'S', Uint8Array])[]): AppFlow {
  const flow = createAppLayer({}).createFlow('udp', { srcPort: 40_000, dstPort });
  for (const [who, d] of said) flow.onData(who === 'C' ? 0 : 1, d, 0, d.length, 0, 1);
  return flow;
}

export const text = (tx: AppTransaction | undefined, name: string, direction: Direction): string | string[] | undefined => {
  const value = tx?.buffer(name, direction);
  if (value === undefined) return undefined;
  return value instanceof Uint8Array ? latin1(value) : value.map(latin1);
}; // prettier-ignore
