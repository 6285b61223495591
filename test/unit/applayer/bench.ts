import type { AppTransaction, BufferValue } from '../../../src/domain/app-layer.js';
import type { Direction } from '../../../src/domain/flow.js';
import { createAppLayer, type AppFlow, type AppLayerInput } from '../../../src/applayer/index.js';

export type Message = readonly [Direction, string | Uint8Array];

export const bytes = (data: string | Uint8Array): Uint8Array =>
  typeof data === 'string' ? Buffer.from(data, 'latin1') : data;

/** Plays messages to a flow, each in pieces of at most `cut` bytes, then ends it. */
export function play(
  messages: readonly Message[],
  settings: { cut?: number; transport?: 'tcp' | 'udp'; options?: AppLayerInput; ports?: [number, number] } = {},
): AppFlow {
  const layer = createAppLayer(settings.options);
  const [srcPort, dstPort] = settings.ports ?? [40_000, 12_345];
  const flow = layer.createFlow(settings.transport ?? 'tcp', { srcPort, dstPort });
  const position = [0, 0];
  for (const [direction, message] of messages) {
    const all = bytes(message);
    const step = settings.cut ?? all.length;
    for (let at = 0; at < all.length; at += step) {
      const piece = all.slice(at, at + step);
      flow.onData(direction, piece, 0, piece.length, position[direction]!, 1e15);
      // The bytes belong to the caller: nobody may look at them later.
      piece.fill(0xee);
      position[direction]! += piece.length;
    }
  }
  if (settings.transport !== 'udp') {
    flow.onEnd(0, 1e15);
    flow.onEnd(1, 1e15);
  }
  if (layer.stats()['applayer_flows_failed'] !== 0) throw new Error('a parser threw');
  return flow;
}

/** A field as text; lists as an array. */
export function field(
  tx: AppTransaction | undefined,
  name: string,
  direction: Direction = 0,
): string | string[] | undefined {
  const value: BufferValue | undefined = tx?.buffer(name, direction);
  if (value === undefined) return undefined;
  const text = (d: Uint8Array): string => Buffer.from(d).toString('latin1');
  return value instanceof Uint8Array ? text(value) : value.map(text);
}
