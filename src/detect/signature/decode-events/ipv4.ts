import { PROTO, type DecodedPacket } from '../../../domain/packet.js';
import type { Fragments } from './fragments.js';

const EOL = 0;
const NOP = 1;
/** Record route, timestamp, security, loose route, extended security, CIPSO, stream id, strict route, router alert, quick start. */
const KNOWN = new Set([7, 25, 68, 130, 131, 133, 134, 136, 137, 148]);
/** Those with a pointer behind their length (RFC 791 3.1): it begins at 4 (5 in a timestamp). */
const POINTED: Readonly<Record<number, number>> = { 7: 4, 68: 5, 131: 4, 137: 4 };
const MORE_FRAGMENTS = 1;
const MAX_PACKET = 65_535;

export function ipv4Events(p: DecodedPacket, fragments: Fragments, events: string[]): void {
  if (p.ipOptionsLen > 0) options(p.data.subarray(p.ipOptionsOffset, p.ipOptionsOffset + p.ipOptionsLen), events);
  if (p.proto === PROTO.ICMPV6) events.push('ipv4.icmpv6');
  if (!p.isFragment) return;
  const length = p.ipTotalLen - 20 - p.ipOptionsLen;
  if (p.fragOffset + length > MAX_PACKET) events.push('ipv4.frag_pkt_too_large');
  // Only the last fragment may end between two units of eight bytes.
  if ((p.ipFlags & MORE_FRAGMENTS) !== 0 && length % 8 !== 0) return;
  if (fragments.overlaps(p, p.ipId, p.fragOffset, p.fragOffset + length)) events.push('ipv4.frag_overlap');
}

function options(d: Uint8Array, events: string[]): void {
  const seen = new Set<number>();
  for (let at = 0; at < d.length;) {
    const type = d[at]!;
    if (type === EOL) return;
    if (type === NOP) {
      at++;
      continue;
    }
    if (at + 1 >= d.length) {
      events.push('ipv4.opt_eol_required');
      return;
    }
    const length = d[at + 1]!;
    if (length < 2 || at + length > d.length) {
      events.push('ipv4.opt_invalid_len');
      return;
    }
    if (!KNOWN.has(type)) events.push('ipv4.opt_invalid');
    else if (seen.has(type)) events.push('ipv4.opt_duplicate');
    const pointer = POINTED[type];
    if (pointer !== undefined && !seen.has(type) && (length < 3 || d[at + 2]! < pointer))
      events.push('ipv4.opt_invalid_len');
    seen.add(type);
    at += length;
  }
}
