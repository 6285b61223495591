import type { DecodedPacket } from '../domain/packet.js';
import { u16, u32 } from './bytes.js';
import { COUNT, LAYER, type DecodeContext, type Layer } from './context.js';

const MIN_HEADER_BYTES = 20;
const OPT_END = 0;
const OPT_NOP = 1;
const OPT_MSS = 2;
const OPT_WINDOW_SCALE = 3;
const SYN = 2;

/** TCP header (RFC 9293 section 3.1). */
export function decodeTcp(ctx: DecodeContext, d: Uint8Array, p: DecodedPacket): Layer {
  const { at } = ctx;
  const have = ctx.end - at;
  if (have < MIN_HEADER_BYTES) return ctx.truncated(p, COUNT.tcp_truncated);
  const headerBytes = (d[at + 12]! >> 4) << 2;
  if (headerBytes < MIN_HEADER_BYTES) return ctx.malformed(p, COUNT.tcp_header_length);
  if (headerBytes > have) return ctx.truncated(p, COUNT.tcp_truncated);

  p.srcPort = u16(d, at);
  p.dstPort = u16(d, at + 2);
  p.seq = u32(d, at + 4);
  p.ack = u32(d, at + 8);
  p.tcpFlags = d[at + 13]!;
  p.window = u16(d, at + 14);
  p.tcpOptionsOffset = at + MIN_HEADER_BYTES;
  p.tcpOptionsLen = headerBytes - MIN_HEADER_BYTES;
  p.payloadOffset = at + headerBytes;
  p.payloadLen = ctx.end - p.payloadOffset;
  // The options we keep are valid in SYN segments only.
  if ((p.tcpFlags & SYN) !== 0 && p.tcpOptionsLen !== 0) readTcpOptions(ctx, d, p);
  return LAYER.DONE;
}

/** Reads the options of a SYN segment: maximum segment size and window scale. */
export function readTcpOptions(ctx: DecodeContext, d: Uint8Array, p: DecodedPacket): void {
  const end = p.payloadOffset;
  for (let at = p.tcpOptionsOffset; at < end;) {
    const kind = d[at]!;
    if (kind === OPT_END) return;
    if (kind === OPT_NOP) {
      at++;
      continue;
    }
    const length = at + 1 < end ? d[at + 1]! : 0;
    if (length < 2 || at + length > end) {
      ctx.counts[COUNT.tcp_bad_option]!++;
      return;
    }
    if (kind === OPT_MSS && length === 4) p.mss = u16(d, at + 2);
    else if (kind === OPT_WINDOW_SCALE && length === 3) p.windowScale = d[at + 2]!;
    at += length;
  }
}
