import type { DecodedPacket } from '../domain/packet.js';
import { COUNT, LAYER, type DecodeContext, type Layer } from './context.js';
import { looksLikeIp } from './tunnel.js';

const MAX_LABELS = 16;
const BOTTOM_OF_STACK = 1;

/**
 * MPLS label stack (RFC 3032). The labels do not say what follows: IP by its version nibble, otherwise an Ethernet
 * pseudowire, with or without the control word of RFC 4385.
 */
export function decodeMpls(ctx: DecodeContext, d: Uint8Array, p: DecodedPacket): Layer {
  let { at } = ctx;
  for (let n = 0; ; n++) {
    if (ctx.end - at < 4) return ctx.truncated(p, COUNT.mpls_truncated);
    if (n === MAX_LABELS) return ctx.unsupported(p, COUNT.mpls_unsupported);
    const isBottom = (d[at + 2]! & BOTTOM_OF_STACK) !== 0;
    at += 4;
    if (isBottom) break;
  }
  ctx.at = at;
  if (looksLikeIp(d, at, ctx.end)) return LAYER.IP;
  const hasControlWord = ctx.end - at >= 4 && d[at]! >> 4 === 0 && d[at]! === 0 && d[at + 1] === 0;
  const frame = hasControlWord ? at + 4 : at;
  if (ctx.end - frame < 14) return ctx.unsupported(p, COUNT.mpls_unsupported);
  if (!ctx.enterTunnel(p)) return LAYER.DONE;
  ctx.at = frame;
  return LAYER.ETHERNET;
}
