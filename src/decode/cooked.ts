import type { DecodedPacket } from '../domain/packet.js';
import { u16 } from './bytes.js';
import { COUNT, LAYER, type DecodeContext, type Layer } from './context.js';

const SLL_BYTES = 16;
const SLL2_BYTES = 20;
const NULL_BYTES = 4;

/** Linux cooked capture v1 (LINKTYPE_LINUX_SLL). */
export function decodeSll(ctx: DecodeContext, d: Uint8Array, p: DecodedPacket): Layer {
  const { at } = ctx;
  if (ctx.end - at < SLL_BYTES) return ctx.truncated(p, COUNT.sll_truncated);
  if (u16(d, at + 4) === 6) p.srcMacOffset = at + 6;
  p.etherType = u16(d, at + 14);
  ctx.at = at + SLL_BYTES;
  return LAYER.ETHERTYPE;
}

/** Linux cooked capture v2 (LINKTYPE_LINUX_SLL2). */
export function decodeSll2(ctx: DecodeContext, d: Uint8Array, p: DecodedPacket): Layer {
  const { at } = ctx;
  if (ctx.end - at < SLL2_BYTES) return ctx.truncated(p, COUNT.sll_truncated);
  if (d[at + 11] === 6) p.srcMacOffset = at + 12;
  p.etherType = u16(d, at);
  ctx.at = at + SLL2_BYTES;
  return LAYER.ETHERTYPE;
}

/** BSD loopback: an address family in whichever byte order; the packet's own version says the same. */
export function decodeNull(ctx: DecodeContext, p: DecodedPacket): Layer {
  if (ctx.end - ctx.at < NULL_BYTES) return ctx.truncated(p, COUNT.null_truncated);
  ctx.at += NULL_BYTES;
  return LAYER.IP;
}
