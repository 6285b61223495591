import type { DecodedPacket } from '../domain/packet.js';
import { u16 } from './bytes.js';
import { COUNT, LAYER, type DecodeContext, type Layer } from './context.js';
import { isVlanTag } from './ethernet.js';
import { looksLikeIp } from './tunnel.js';

const CHECKSUM = 0x8000;
const ROUTING = 0x4000;
const KEY = 0x2000;
const SEQUENCE = 0x1000;
const PPTP_ACK = 0x0080;

const TRANSPARENT_ETHERNET = 0x6558;
const ERSPAN_II = 0x88be;
const ERSPAN_III = 0x22eb;
const PPP = 0x880b;
const MPLS = 0x8847;
const NSH = 0x894f;
const ERSPAN_II_BYTES = 8;
const ERSPAN_III_BYTES = 12;
const ERSPAN_SUBHEADER_BYTES = 8;

/**
 * GRE (RFC 2784, keys and sequence numbers of RFC 2890), the enhanced GRE of PPTP (RFC 2637), and ERSPAN types I to
 * III. What cannot be followed stays a packet of protocol 47.
 */
export function decodeGre(ctx: DecodeContext, d: Uint8Array, p: DecodedPacket): Layer {
  const { at } = ctx;
  if (ctx.end - at < 4) return ctx.truncated(p, COUNT.gre_truncated);
  const flags = u16(d, at);
  const version = flags & 7;
  // Source routing (RFC 1701) is obsolete and nobody should use it.
  if (version > 1 || (flags & ROUTING) !== 0) return unsupported(ctx);
  let body = at + 4;
  if (flags & CHECKSUM) body += 4;
  if (flags & KEY) body += 4;
  if (flags & SEQUENCE) body += 4;
  if (version === 1 && (flags & PPTP_ACK) !== 0) body += 4;
  if (body > ctx.end) return ctx.truncated(p, COUNT.gre_truncated);
  const type = u16(d, at + 2);
  if (version === 1) return type === PPP ? enterPpp(ctx, d, p, body) : unsupported(ctx);

  if (type === 0x0800 || type === 0x86dd) return enterIp(ctx, d, p, body);
  if (type === TRANSPARENT_ETHERNET) return enter(ctx, p, body, LAYER.ETHERNET);
  if (type === ERSPAN_II) return enter(ctx, p, body + (flags & SEQUENCE ? ERSPAN_II_BYTES : 0), LAYER.ETHERNET);
  if (type === ERSPAN_III) return enterErspan3(ctx, d, p, body);
  if (type === MPLS || type === NSH || isVlanTag(type)) {
    const next = enter(ctx, p, body, LAYER.ETHERTYPE);
    if (next !== LAYER.DONE) p.etherType = type;
    return next;
  }
  return unsupported(ctx);
}

function unsupported(ctx: DecodeContext): Layer {
  ctx.counts[COUNT.gre_unsupported]!++;
  return LAYER.DONE;
}

function invalid(ctx: DecodeContext): Layer {
  ctx.counts[COUNT.tunnel_payload_invalid]!++;
  return LAYER.DONE;
}

function enter(ctx: DecodeContext, p: DecodedPacket, body: number, next: Layer): Layer {
  if (body + 14 > ctx.end) return invalid(ctx);
  if (!ctx.enterTunnel(p)) return LAYER.DONE;
  ctx.at = body;
  return next;
}

function enterIp(ctx: DecodeContext, d: Uint8Array, p: DecodedPacket, body: number): Layer {
  return looksLikeIp(d, body, ctx.end) ? enter(ctx, p, body, LAYER.IP) : invalid(ctx);
}

/** PPP in PPTP: optional address and control bytes, then the protocol number, possibly in one byte (RFC 1661). */
function enterPpp(ctx: DecodeContext, d: Uint8Array, p: DecodedPacket, body: number): Layer {
  let at = body;
  if (ctx.end - at >= 2 && u16(d, at) === 0xff03) at += 2;
  if (ctx.end - at < 2) return invalid(ctx);
  const isShort = (d[at]! & 1) !== 0;
  const protocol = isShort ? d[at]! : u16(d, at);
  if (protocol !== 0x21 && protocol !== 0x57) return unsupported(ctx);
  return enterIp(ctx, d, p, at + (isShort ? 1 : 2));
}

function enterErspan3(ctx: DecodeContext, d: Uint8Array, p: DecodedPacket, body: number): Layer {
  if (body + ERSPAN_III_BYTES > ctx.end) return invalid(ctx);
  const hasSubheader = (d[body + 11]! & 1) !== 0;
  return enter(ctx, p, body + ERSPAN_III_BYTES + (hasSubheader ? ERSPAN_SUBHEADER_BYTES : 0), LAYER.ETHERNET);
}
