import type { DecodedPacket } from '../domain/packet.js';
import { COUNT, LAYER, type DecodeContext, type Layer } from './context.js';

/** Authentication header over IPv4 (RFC 4302): not encrypted, so what it protects can be read. */
export function decodeAh(ctx: DecodeContext, d: Uint8Array, p: DecodedPacket): Layer {
  const { at } = ctx;
  const bytes = ctx.end - at >= 12 ? (d[at + 1]! + 2) << 2 : 0;
  if (bytes < 12 || bytes > ctx.end - at) return ctx.truncated(p, COUNT.ah_truncated);
  p.proto = d[at]!;
  ctx.at = at + bytes;
  p.l4Offset = p.payloadOffset = ctx.at;
  p.payloadLen = ctx.end - ctx.at;
  return LAYER.TRANSPORT;
}
