import type { DecodedPacket } from '../domain/packet.js';
import { u16 } from './bytes.js';
import { COUNT, LAYER, type DecodeContext, type Layer } from './context.js';
import { looksLikeIp } from './tunnel.js';

const HEADER_BYTES = 8;
const ETHERNET_BYTES = 14;
const TRANSPARENT_ETHERNET = 0x6558;

/** Geneve header with its options (RFC 8926). What does not look like it stays an ordinary UDP packet. */
export function decodeGeneve(ctx: DecodeContext, d: Uint8Array, p: DecodedPacket): Layer {
  const { at, end } = ctx;
  if (end - at < HEADER_BYTES) return invalid(ctx);
  const body = at + HEADER_BYTES + ((d[at]! & 0x3f) << 2);
  const type = u16(d, at + 2);
  // Version 0; the reserved bits and the last byte are sent as zero.
  if (d[at]! >> 6 !== 0 || (d[at + 1]! & 0x3f) !== 0 || d[at + 7] !== 0 || body >= end) return invalid(ctx);
  const isFrame = type === TRANSPARENT_ETHERNET && end - body >= ETHERNET_BYTES;
  const isIp = (type === 0x0800 || type === 0x86dd) && looksLikeIp(d, body, end);
  if (!isFrame && !isIp) return invalid(ctx);
  if (!ctx.enterTunnel(p)) return LAYER.DONE;
  ctx.at = body;
  return isFrame ? LAYER.ETHERNET : LAYER.IP;
}

function invalid(ctx: DecodeContext): Layer {
  ctx.counts[COUNT.tunnel_payload_invalid]!++;
  return LAYER.DONE;
}
