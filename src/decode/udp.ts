import type { DecodedPacket } from '../domain/packet.js';
import { u16 } from './bytes.js';
import { COUNT, LAYER, type DecodeContext, type Layer } from './context.js';

const HEADER_BYTES = 8;

/** UDP header (RFC 768); hands VXLAN and Geneve on. */
export function decodeUdp(ctx: DecodeContext, d: Uint8Array, p: DecodedPacket): Layer {
  const { at } = ctx;
  if (ctx.end - at < HEADER_BYTES) return ctx.truncated(p, COUNT.udp_truncated);
  const length = u16(d, at + 4);
  // Zero stands for a jumbogram or segmentation offload.
  if (length !== 0 && (length < HEADER_BYTES || length > p.ipTotalLen - (at - p.ipOffset))) {
    return ctx.malformed(p, COUNT.udp_length);
  }
  p.srcPort = u16(d, at);
  p.dstPort = u16(d, at + 2);
  p.payloadOffset = at + HEADER_BYTES;
  const end = length === 0 ? ctx.end : Math.min(ctx.end, at + length);
  p.payloadLen = end - p.payloadOffset;
  if (!ctx.isTunnelPort(p.dstPort)) return LAYER.DONE;
  ctx.at = p.payloadOffset;
  ctx.end = end;
  return ctx.vxlanPorts.includes(p.dstPort) ? LAYER.VXLAN : LAYER.GENEVE;
}
