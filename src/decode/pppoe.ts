import type { DecodedPacket } from '../domain/packet.js';
import { u16 } from './bytes.js';
import { COUNT, LAYER, type DecodeContext, type Layer } from './context.js';

const HEADER_BYTES = 6;
const VERSION_AND_TYPE = 0x11;
const SESSION_DATA = 0;
const PPP_IPV4 = 0x0021;
const PPP_IPV6 = 0x0057;
const ADDRESS_AND_CONTROL = 0xff03;

/** PPPoE session data (RFC 2516) with its PPP protocol number. */
export function decodePppoe(ctx: DecodeContext, d: Uint8Array, p: DecodedPacket): Layer {
  const { at } = ctx;
  if (ctx.end - at < HEADER_BYTES + 2) return ctx.truncated(p, COUNT.pppoe_truncated);
  if (d[at] !== VERSION_AND_TYPE || d[at + 1] !== SESSION_DATA) return ctx.unsupported(p, COUNT.pppoe_unsupported);
  const isShort = (d[at + HEADER_BYTES]! & 1) !== 0;
  const protocol = isShort ? d[at + HEADER_BYTES]! : u16(d, at + HEADER_BYTES);
  ctx.end = Math.min(ctx.end, at + HEADER_BYTES + u16(d, at + 4));
  ctx.at = at + HEADER_BYTES + (isShort ? 1 : 2);
  if (protocol === PPP_IPV4) return LAYER.IPV4;
  if (protocol === PPP_IPV6) return LAYER.IPV6;
  return ctx.unsupported(p, COUNT.pppoe_unsupported);
}

/** PPP as a link (RFC 1661, 1662): address and control bytes and the first byte of the protocol number may be left out. */
export function decodePpp(ctx: DecodeContext, d: Uint8Array, p: DecodedPacket): Layer {
  const at = ctx.at + (ctx.end - ctx.at >= 2 && u16(d, ctx.at) === ADDRESS_AND_CONTROL ? 2 : 0);
  if (ctx.end - at < 2) return ctx.truncated(p, COUNT.ppp_truncated);
  const isShort = (d[at]! & 1) !== 0;
  const protocol = isShort ? d[at]! : u16(d, at);
  ctx.at = at + (isShort ? 1 : 2);
  if (protocol === PPP_IPV4) return LAYER.IPV4;
  if (protocol === PPP_IPV6) return LAYER.IPV6;
  return ctx.unsupported(p, COUNT.ppp_unsupported);
}
