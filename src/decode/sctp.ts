import type { DecodedPacket } from '../domain/packet.js';
import { u16 } from './bytes.js';
import { COUNT, LAYER, type DecodeContext, type Layer } from './context.js';

const HEADER_BYTES = 12;

/** SCTP common header (RFC 9260 section 3.1): the ports; chunks are payload. */
export function decodeSctp(ctx: DecodeContext, d: Uint8Array, p: DecodedPacket): Layer {
  const { at } = ctx;
  if (ctx.end - at < HEADER_BYTES) return ctx.truncated(p, COUNT.sctp_truncated);
  p.srcPort = u16(d, at);
  p.dstPort = u16(d, at + 2);
  p.payloadOffset = at + HEADER_BYTES;
  p.payloadLen = ctx.end - p.payloadOffset;
  return LAYER.DONE;
}
