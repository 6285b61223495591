import { PROTO, type DecodedPacket } from '../domain/packet.js';
import { u16, u32 } from './bytes.js';
import { COUNT, LAYER, type DecodeContext, type Layer } from './context.js';

const HEADER_BYTES = 40;
/** More than any sender needs; each kind may appear once, destination options twice (RFC 8200 section 4.1). */
const MAX_EXTENSIONS = 10;

const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const DESTINATION_OPTIONS = 60;
const MOBILITY = 135;
const HIP = 139;
const SHIM6 = 140;

/** IPv6 header (RFC 8200) with its extension headers. */
export function decodeIpv6(ctx: DecodeContext, d: Uint8Array, p: DecodedPacket): Layer {
  const { at } = ctx;
  const have = ctx.end - at;
  if (have < HEADER_BYTES) return ctx.truncated(p, COUNT.ipv6_truncated);
  if (d[at]! >> 4 !== 6) return ctx.malformed(p, COUNT.ip_version);
  const payload = u16(d, at + 4);
  // A payload length of zero means a jumbogram or segmentation offload: the rest of the frame is meant.
  const total = payload === 0 && d[at + 6] !== 59 ? have : HEADER_BYTES + payload;

  p.ipVersion = 6;
  p.ipOffset = at;
  p.ipTotalLen = total;
  p.ipTruncated = total > have;
  p.ipLen = total > have ? have : total;
  p.tos = ((d[at]! & 15) << 4) | (d[at + 1]! >> 4);
  p.proto = d[at + 6]!;
  p.ttl = d[at + 7]!;
  p.src0 = u32(d, at + 8);
  p.src1 = u32(d, at + 12);
  p.src2 = u32(d, at + 16);
  p.src3 = u32(d, at + 20);
  p.dst0 = u32(d, at + 24);
  p.dst1 = u32(d, at + 28);
  p.dst2 = u32(d, at + 32);
  p.dst3 = u32(d, at + 36);
  p.ipId = p.ipFlags = p.fragOffset = p.ipOptionsLen = 0;
  p.isFragment = false;

  ctx.end = at + p.ipLen;
  ctx.at = at + HEADER_BYTES;
  return skipExtensions(ctx, d, p);
}

function isExtension(proto: number): boolean {
  return (
    proto === HOP_BY_HOP ||
    proto === ROUTING ||
    proto === DESTINATION_OPTIONS ||
    proto === FRAGMENT ||
    proto === PROTO.AH ||
    proto === MOBILITY ||
    proto === HIP ||
    proto === SHIM6
  );
}

/** Walks to the upper-layer header; `packet.proto` becomes its number. */
function skipExtensions(ctx: DecodeContext, d: Uint8Array, p: DecodedPacket): Layer {
  for (let n = 0; isExtension(p.proto); n++) {
    if (n === MAX_EXTENSIONS) return ctx.malformed(p, COUNT.ipv6_extensions_too_many);
    const { at } = ctx;
    if (ctx.end - at < 8) return ctx.truncated(p, COUNT.ipv6_extension_truncated);
    const kind = p.proto;
    const next = d[at]!;
    if (kind === FRAGMENT) {
      p.proto = next;
      p.fragOffset = u16(d, at + 2) & 0xfff8;
      p.ipFlags = d[at + 3]! & 1;
      p.ipId = u32(d, at + 4);
      ctx.at = at + 8;
      // An atomic fragment (RFC 6946) is a whole packet that carries the header for no reason.
      p.isFragment = p.fragOffset !== 0 || p.ipFlags !== 0;
      if (p.isFragment) {
        ctx.counts[COUNT.fragments]!++;
        describePayload(ctx, p);
        return LAYER.DONE;
      }
      continue;
    }
    const bytes = kind === PROTO.AH ? (d[at + 1]! + 2) << 2 : (d[at + 1]! + 1) << 3;
    if (bytes > ctx.end - at) return ctx.truncated(p, COUNT.ipv6_extension_truncated);
    p.proto = next;
    ctx.at = at + bytes;
  }
  describePayload(ctx, p);
  return LAYER.TRANSPORT;
}

function describePayload(ctx: DecodeContext, p: DecodedPacket): void {
  p.l4Offset = p.payloadOffset = ctx.at;
  p.payloadLen = ctx.end - ctx.at;
}
