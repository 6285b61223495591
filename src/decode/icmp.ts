import type { DecodedPacket } from '../domain/packet.js';
import { u16 } from './bytes.js';
import { COUNT, LAYER, type DecodeContext, type Layer } from './context.js';

const MIN_BYTES = 4;
const HEADER_BYTES = 8;

/** ICMP (RFC 792) and ICMPv6 (RFC 4443): type, code, and the identifier and sequence number of queries. */
export function decodeIcmp(ctx: DecodeContext, d: Uint8Array, p: DecodedPacket): Layer {
  const { at } = ctx;
  const have = ctx.end - at;
  if (have < MIN_BYTES) return ctx.truncated(p, COUNT.icmp_truncated);
  p.icmpType = d[at]!;
  p.icmpCode = d[at + 1]!;
  if (have >= HEADER_BYTES) {
    p.icmpId = u16(d, at + 4);
    p.icmpSeq = u16(d, at + 6);
  }
  p.payloadOffset = have >= HEADER_BYTES ? at + HEADER_BYTES : ctx.end;
  p.payloadLen = ctx.end - p.payloadOffset;
  return LAYER.DONE;
}
