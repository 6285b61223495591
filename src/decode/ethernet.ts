import type { DecodedPacket } from '../domain/packet.js';
import { u16 } from './bytes.js';
import { COUNT, LAYER, type DecodeContext, type Layer } from './context.js';

const HEADER_BYTES = 14;
/** IEEE 802.1Q, 802.1ad, and the older QinQ tag of many switches. */
const TPID_8021Q = 0x8100;
const TPID_8021AD = 0x88a8;
const TPID_QINQ = 0x9100;

/** Values up to this are lengths (IEEE 802.3), and an LLC header follows. */
const MAX_LENGTH = 1500;
const SNAP = 0xaaaa;

/** Ethernet II frame, or IEEE 802.3 with LLC and SNAP (RFC 1042). */
export function decodeEthernet(ctx: DecodeContext, d: Uint8Array, p: DecodedPacket): Layer {
  if (ctx.end - ctx.at < HEADER_BYTES) return ctx.truncated(p, COUNT.ethernet_truncated);
  p.srcMacOffset = ctx.at + 6;
  p.etherType = u16(d, ctx.at + 12);
  ctx.at += HEADER_BYTES;
  if (p.etherType <= MAX_LENGTH && ctx.end - ctx.at >= 8 && u16(d, ctx.at) === SNAP) {
    p.etherType = u16(d, ctx.at + 6);
    ctx.at += 8;
  }
  return LAYER.ETHERTYPE;
}

export function isVlanTag(etherType: number): boolean {
  return etherType === TPID_8021Q || etherType === TPID_8021AD || etherType === TPID_QINQ;
}

/** Keeps the first two VLAN ids of a frame, outermost first. */
export function addVlan(p: DecodedPacket, tci: number): void {
  if (p.vlanCount === 0) p.vlan0 = tci & 0xfff;
  else if (p.vlanCount === 1) p.vlan1 = tci & 0xfff;
  p.vlanCount++;
}

/** IEEE 802.1Q tag: control information and the type of what follows. */
export function decodeVlan(ctx: DecodeContext, d: Uint8Array, p: DecodedPacket): Layer {
  if (ctx.end - ctx.at < 4) return ctx.truncated(p, COUNT.vlan_truncated);
  if (p.vlanCount >= ctx.maxVlanTags) return ctx.unsupported(p, COUNT.vlan_too_many);
  addVlan(p, u16(d, ctx.at));
  p.etherType = u16(d, ctx.at + 2);
  ctx.at += 4;
  return LAYER.ETHERTYPE;
}
