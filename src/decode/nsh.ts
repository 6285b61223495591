import type { DecodedPacket } from '../domain/packet.js';
import { u16 } from './bytes.js';
import { COUNT, LAYER, type DecodeContext, type Layer } from './context.js';

/** Base and service path header. */
const HEADER_BYTES = 8;
const ETHERTYPE_OF: Readonly<Record<number, number>> = { 1: 0x0800, 2: 0x86dd, 4: 0x894f, 5: 0x8847 };
const NEXT_ETHERNET = 3;

/** Network Service Header (RFC 8300): service path and metadata in front of a packet. */
export function decodeNsh(ctx: DecodeContext, d: Uint8Array, p: DecodedPacket): Layer {
  const { at } = ctx;
  if (ctx.end - at < HEADER_BYTES) return ctx.truncated(p, COUNT.nsh_truncated);
  const base = u16(d, at);
  const bytes = (base & 0x3f) << 2;
  if (base >> 14 !== 0 || bytes < HEADER_BYTES) return ctx.unsupported(p, COUNT.nsh_unsupported);
  if (bytes > ctx.end - at) return ctx.truncated(p, COUNT.nsh_truncated);
  const next = d[at + 3]!;
  ctx.at = at + bytes;
  if (next === NEXT_ETHERNET) return ctx.enterTunnel(p) ? LAYER.ETHERNET : LAYER.DONE;
  const etherType = ETHERTYPE_OF[next];
  if (etherType === undefined) return ctx.unsupported(p, COUNT.nsh_unsupported);
  p.etherType = etherType;
  return LAYER.ETHERTYPE;
}
