import type { DecodedPacket } from '../domain/packet.js';
import { u16, u32 } from './bytes.js';
import { COUNT, LAYER, type DecodeContext, type Layer } from './context.js';

const HEADER_BYTES = 8;
const ETHERNET_BYTES = 14;
const VALID_VNI = 0x08;
const ETHERTYPE_MIN = 0x0600;

/** VXLAN header (RFC 7348). What does not look like it stays an ordinary UDP packet. */
export function decodeVxlan(ctx: DecodeContext, d: Uint8Array, p: DecodedPacket): Layer {
  const { at } = ctx;
  const isVxlan =
    ctx.end - at >= HEADER_BYTES + ETHERNET_BYTES &&
    u32(d, at) === VALID_VNI << 24 &&
    d[at + 7] === 0 &&
    u16(d, at + HEADER_BYTES + 12) >= ETHERTYPE_MIN;
  if (!isVxlan) {
    ctx.counts[COUNT.tunnel_payload_invalid]!++;
    return LAYER.DONE;
  }
  if (!ctx.enterTunnel(p)) return LAYER.DONE;
  ctx.at = at + HEADER_BYTES;
  return LAYER.ETHERNET;
}
