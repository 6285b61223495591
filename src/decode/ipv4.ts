import type { DecodedPacket } from '../domain/packet.js';
import { u16, u32 } from './bytes.js';
import { COUNT, LAYER, type DecodeContext, type Layer } from './context.js';

const MIN_HEADER_BYTES = 20;
const MORE_FRAGMENTS = 1;

/** IPv4 header (RFC 791). */
export function decodeIpv4(ctx: DecodeContext, d: Uint8Array, p: DecodedPacket): Layer {
  const { at } = ctx;
  const have = ctx.end - at;
  if (have < MIN_HEADER_BYTES) return ctx.truncated(p, COUNT.ipv4_truncated);
  const first = d[at]!;
  if (first >> 4 !== 4) return ctx.malformed(p, COUNT.ip_version);
  const headerBytes = (first & 15) << 2;
  if (headerBytes < MIN_HEADER_BYTES) return ctx.malformed(p, COUNT.ipv4_header_length);
  if (headerBytes > have) return ctx.truncated(p, COUNT.ipv4_truncated);
  // Zero is what segmentation offload leaves in packets captured on their way out: the rest of the frame is meant.
  const total = u16(d, at + 2) || have;
  if (total < headerBytes) return ctx.malformed(p, COUNT.ipv4_total_length);

  p.ipVersion = 4;
  p.ipOffset = at;
  p.ipTotalLen = total;
  p.ipTruncated = total > have;
  p.ipLen = total > have ? have : total;
  p.tos = d[at + 1]!;
  p.ipId = u16(d, at + 4);
  const fragment = u16(d, at + 6);
  p.ipFlags = fragment >> 13;
  p.fragOffset = (fragment & 0x1fff) << 3;
  p.isFragment = p.fragOffset !== 0 || (p.ipFlags & MORE_FRAGMENTS) !== 0;
  p.ttl = d[at + 8]!;
  p.proto = d[at + 9]!;
  p.src0 = p.src1 = p.src2 = p.dst0 = p.dst1 = p.dst2 = 0;
  p.src3 = u32(d, at + 12);
  p.dst3 = u32(d, at + 16);
  p.ipOptionsOffset = at + MIN_HEADER_BYTES;
  p.ipOptionsLen = headerBytes - MIN_HEADER_BYTES;

  ctx.end = at + p.ipLen;
  ctx.at = at + headerBytes;
  p.l4Offset = p.payloadOffset = ctx.at;
  p.payloadLen = ctx.end - ctx.at;
  if (!p.isFragment) return LAYER.TRANSPORT;
  ctx.counts[COUNT.fragments]!++;
  return LAYER.DONE;
}
