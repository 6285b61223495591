import type { ReadLayer } from './reader.js';

/** Labels with a meaning of their own (RFC 3032 2.1). */
const LABEL = { IPV4: 0, ROUTER_ALERT: 1, IPV6: 2, IMPLICIT_NULL: 3, LAST_RESERVED: 14 } as const;

/** MPLS label stack (RFC 3032); what follows is guessed by its first bits. */
export const mpls: ReadLayer = (r, start, end) => {
  if (!r.enter()) return false;
  const { data } = r;
  let at = start;
  for (let isBottom = false; !isBottom; at += 4) {
    if (end - at < 4) return r.tell('mpls.header_too_small');
    isBottom = (data[at + 2]! & 1) !== 0;
  }
  const label = (r.u16(at - 4) << 4) | (data[at - 2]! >> 4);
  if (label === LABEL.IPV4) return r.next('ipv4', at, end);
  if (label === LABEL.IPV6) return r.next('ipv6', at, end);
  if (label <= LABEL.LAST_RESERVED) {
    if (label === LABEL.ROUTER_ALERT) r.tell('mpls.bad_label_router_alert');
    else if (label === LABEL.IMPLICIT_NULL) r.tell('mpls.bad_label_implicit_null');
    else r.tell('mpls.bad_label_reserved');
    return true;
  }
  if (end - at < 4) return r.tell('mpls.pkt_too_small');
  const first = data[at]! >> 4;
  if (first === 4) r.next('ipv4', at, end);
  else if (first === 6) r.next('ipv6', at, end);
  // The control word of a pseudowire (RFC 4385).
  else if (first === 0) r.next('ethernet', at + 4, end);
  else r.tell('mpls.unknown_payload_type');
  return true;
};

const NSH_BYTES = 8;
const NSH_FIXED_BYTES = 24;

/** Network service header (RFC 8300). */
export const nsh: ReadLayer = (r, at, end) => {
  if (end - at < NSH_BYTES) return r.tell('nsh.header_too_small');
  if (!r.enter()) return false;
  const { data } = r;
  if (data[at]! >> 6 !== 0) {
    r.tell('nsh.unsupported_version');
    return true;
  }
  const length = (data[at + 1]! & 0x3f) * 4;
  if (length >= end - at) return r.tell('nsh.bad_header_length');
  const metadata = data[at + 2]!;
  if (metadata === 0 || metadata === 15) {
    r.tell('nsh.reserved_type');
    return true;
  }
  if (metadata === 1 && length !== NSH_FIXED_BYTES) return r.tell('nsh.bad_header_length');
  if (metadata > 2) {
    r.tell('nsh.unsupported_type');
    return true;
  }
  switch (data[at + 3]) {
    case 1:
      return r.next('ipv4', at + length, end);
    case 2:
      return r.next('ipv6', at + length, end);
    case 3:
      return r.next('ethernet', at + length, end);
    case 5:
      return r.next('mpls', at + length, end);
    default:
      r.tell('nsh.unknown_payload');
      return true;
  }
};
