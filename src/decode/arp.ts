import type { DecodedPacket } from '../domain/packet.js';
import { u16, u32 } from './bytes.js';
import { COUNT, LAYER, type DecodeContext, type Layer } from './context.js';

const BYTES = 28;

/** ARP for IPv4 over Ethernet (RFC 826). */
export function decodeArp(ctx: DecodeContext, d: Uint8Array, p: DecodedPacket): Layer {
  const { at } = ctx;
  if (ctx.end - at < BYTES) return ctx.truncated(p, COUNT.arp_truncated);
  const isIpv4OverEthernet = u16(d, at) === 1 && u16(d, at + 2) === 0x0800 && d[at + 4] === 6 && d[at + 5] === 4;
  if (!isIpv4OverEthernet) return ctx.unsupported(p, COUNT.arp_unsupported);
  p.arpOp = u16(d, at + 6);
  p.arpSenderMacOffset = at + 8;
  p.src3 = u32(d, at + 14);
  p.arpTargetMacOffset = at + 18;
  p.dst3 = u32(d, at + 24);
  return LAYER.DONE;
}
