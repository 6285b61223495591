import type { DecodedPacket } from '../domain/packet.js';
import { u16 } from './bytes.js';
import { COUNT, LAYER, type DecodeContext, type Layer } from './context.js';

/**
 * True when an IPv4 or IPv6 header that can be decoded lies there. Checked before a tunnel is entered, so that a
 * packet with nonsense inside is still reported by its outer header.
 */
export function looksLikeIp(d: Uint8Array, at: number, end: number): boolean {
  if (end - at < 20) return false;
  const version = d[at]! >> 4;
  if (version === 6) return end - at >= 40;
  const headerBytes = (d[at]! & 15) << 2;
  const total = u16(d, at + 2);
  return version === 4 && headerBytes >= 20 && headerBytes <= end - at && (total === 0 || total >= headerBytes);
}

/** IP in IP (RFC 2003), 6in4 (RFC 4213), IPv6 in IPv6 (RFC 2473): the inner packet follows at once. */
export function decodeIpInIp(ctx: DecodeContext, d: Uint8Array, p: DecodedPacket): Layer {
  if (!looksLikeIp(d, ctx.at, ctx.end)) {
    ctx.counts[COUNT.tunnel_payload_invalid]!++;
    return LAYER.DONE;
  }
  return ctx.enterTunnel(p) ? LAYER.IP : LAYER.DONE;
}
