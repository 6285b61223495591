import { PROTO } from '../../../domain/packet.js';
import type { FrameReader, ReadLayer } from './reader.js';
import { geneve, vxlan } from './tunnel.js';

const EOL = 0;
const NOP = 1;
/** Length of options that have one (RFC 9293, 7323, 2018): maximum segment size, window scale, SACK permitted, timestamps. */
const LENGTHS: Readonly<Record<number, number>> = { 2: 4, 3: 3, 4: 2, 8: 10 };
const SACK = 5;
const TCP_BYTES = 20;
const UDP_BYTES = 8;
const SCTP_BYTES = 12;
const ESP_BYTES = 8;
/** Ports of Suricata's own configuration. */
const VXLAN_PORT = 4789;
const GENEVE_PORT = 6081;

/** What means the same behind IPv4 and IPv6. @returns false for other protocols. */
export function ofBothVersions(r: FrameReader, proto: number, at: number, end: number): boolean {
  switch (proto) {
    case PROTO.TCP:
      r.next('tcp', at, end);
      return true;
    case PROTO.UDP:
      r.next('udp', at, end);
      return true;
    case PROTO.GRE:
      r.next('gre', at, end);
      return true;
    case PROTO.SCTP:
      if (end - at < SCTP_BYTES) r.tell('sctp.pkt_too_small');
      return true;
    case PROTO.ESP:
      if (r.enter() && end - at < ESP_BYTES) r.tell('esp.pkt_too_small');
      return true;
    default:
      return false;
  }
}

export const tcp: ReadLayer = (r, at, end) => {
  if (end - at < TCP_BYTES) return r.tell('tcp.pkt_too_small');
  const headerBytes = (r.data[at + 12]! >> 4) * 4;
  if (headerBytes > end - at) return r.tell('tcp.hlen_too_small');
  if (headerBytes < TCP_BYTES) return r.tell('tcp.invalid_optlen');
  options(r, at + TCP_BYTES, at + headerBytes);
  return true;
};

function options(r: FrameReader, start: number, end: number): void {
  const { data } = r;
  const seen = new Set<number>();
  for (let at = start; at < end;) {
    const type = data[at]!;
    if (type === EOL) return;
    if (type === NOP) {
      at++;
      continue;
    }
    if (at + 1 >= end) return;
    const length = data[at + 1]!;
    if (length < 2 || at + length > end) {
      r.tell('tcp.opt_invalid_len');
      return;
    }
    const fixed = LENGTHS[type];
    const isWrong =
      fixed !== undefined
        ? length !== fixed
        : type === SACK && length !== 2 && (length < 10 || length > 34 || (length - 2) % 8 !== 0);
    if (isWrong) r.tell('tcp.opt_invalid_len');
    else if (fixed !== undefined || type === SACK) {
      if (seen.has(type)) r.tell('tcp.opt_duplicate');
      seen.add(type);
    }
    at += length;
  }
}

export const udp: ReadLayer = (r, at, end) => {
  if (end - at < UDP_BYTES) return r.tell('udp.hlen_too_small');
  const length = r.u16(at + 4);
  if (length > end - at) return r.tell('udp.pkt_too_small');
  if (length < UDP_BYTES) return r.tell('udp.len_invalid');
  const ports = [r.u16(at), r.u16(at + 2)];
  if (ports.includes(GENEVE_PORT)) geneve(r, at + UDP_BYTES, at + length);
  else if (ports.includes(VXLAN_PORT)) vxlan(r, at + UDP_BYTES, at + length);
  return true;
};
