import { PROTO } from '../../../domain/packet.js';
import type { Fragments } from './fragments.js';
import type { FrameReader, ReadLayer } from './reader.js';
import { ofBothVersions } from './transport.js';

const HEADER_BYTES = 20;
const MAX_PACKET = 65_535;

/** IPv4 (RFC 791). */
export function ipv4(fragments: Fragments): ReadLayer {
  return (r, at, end) => {
    const { data } = r;
    if (!r.enter()) return false;
    if (end - at < HEADER_BYTES) return r.tell('ipv4.pkt_too_small');
    if (data[at]! >> 4 !== 4) return r.tell('ipv4.wrong_ip_version');
    const headerBytes = (data[at]! & 15) * 4;
    if (headerBytes < HEADER_BYTES) return r.tell('ipv4.hlen_too_small');
    const total = r.u16(at + 2);
    if (total < headerBytes) return r.tell('ipv4.iplen_smaller_than_hlen');
    if (total > end - at) return r.tell('ipv4.trunc_pkt');
    if (!options(r, at + HEADER_BYTES, at + headerBytes)) return true;
    if ((r.u16(at + 6) & 0x3fff) === 0) payload(r, data[at + 9]!, at + headerBytes, at + total);
    else fragment(r, fragments, at, total - headerBytes);
    return true;
  };
}

function payload(r: FrameReader, proto: number, at: number, end: number): void {
  switch (proto) {
    case PROTO.ICMP:
      r.next('icmpv4', at, end);
      break;
    case PROTO.IPV6:
      r.tunnel('ipv6', at, end);
      break;
    case PROTO.ICMPV6:
      r.tell('ipv4.icmpv6');
      break;
    default:
      ofBothVersions(r, proto, at, end);
  }
}

function fragment(r: FrameReader, fragments: Fragments, at: number, length: number): void {
  const field = r.u16(at + 6);
  const offset = (field & 0x1fff) * 8;
  if (offset + length > MAX_PACKET) {
    r.tell('ipv4.frag_pkt_too_large');
    return;
  }
  // Only the last fragment may end between two units of eight bytes.
  if ((field & 0x2000) !== 0 && length % 8 !== 0) return;
  const key = Buffer.from(r.data.buffer, r.data.byteOffset + at, HEADER_BYTES).toString('latin1');
  // Number, protocol and both ends.
  if (fragments.overlaps(`4${key.slice(4, 6)}${key[9]}${key.slice(12)}`, offset, offset + length))
    r.tell('ipv4.frag_overlap');
}

const EOL = 0;
const NOP = 1;
const OPTION = { RECORD_ROUTE: 7, QUICK_START: 25, TIMESTAMP: 68, SECURITY: 130, LOOSE_ROUTE: 131, CIPSO: 134, STREAM: 136, STRICT_ROUTE: 137, ROUTER_ALERT: 148 } as const; // prettier-ignore
const KNOWN = new Set<number>(Object.values(OPTION));
/** Extended security is known and not looked into. */
const EXTENDED_SECURITY = 133;
/** Options of one length (RFC 1108, 791, 2113). */
const FIXED: Readonly<Record<number, number>> = {
  [OPTION.SECURITY]: 11,
  [OPTION.STREAM]: 4,
  [OPTION.ROUTER_ALERT]: 4,
};

/** @returns false when they have no end: what follows is not looked at. */
function options(r: FrameReader, start: number, end: number): boolean {
  const { data } = r;
  if ((end - start) % 8 !== 0) r.tell('ipv4.opt_pad_required');
  const seen = new Set<number>();
  for (let at = start; at < end;) {
    const type = data[at]!;
    if (type === EOL) return true;
    if (type === NOP) {
      at++;
      continue;
    }
    if (at + 1 >= end) {
      r.tell('ipv4.opt_eol_required');
      return true;
    }
    const length = data[at + 1]!;
    if (length < 2 || at + length > end) return r.tell('ipv4.opt_invalid_len');
    if (type === EXTENDED_SECURITY) {
      at += length;
      continue;
    }
    if (!KNOWN.has(type)) r.tell('ipv4.opt_invalid');
    else if (seen.has(type)) r.tell('ipv4.opt_duplicate');
    else if (option(r, type, at, length)) seen.add(type);
    at += length;
  }
  return true;
}

/** One option of a kind that is known; false when it is not sound. */
function option(r: FrameReader, type: number, at: number, length: number): boolean {
  const fixed = FIXED[type];
  if (fixed !== undefined) return length === fixed || r.tell('ipv4.opt_invalid_len');
  switch (type) {
    case OPTION.QUICK_START:
      return length >= 8 || r.tell('ipv4.opt_invalid_len');
    case OPTION.TIMESTAMP:
      return length < 5 ? r.tell('ipv4.opt_invalid_len') : timestamp(r, at, length);
    case OPTION.CIPSO:
      return length < 10 ? r.tell('ipv4.opt_invalid_len') : cipso(r, at, length);
    default: {
      if (length < 3) return r.tell('ipv4.opt_invalid_len');
      // The pointer counts from 1, in addresses of four bytes behind the option's three.
      const pointer = r.data[at + 2]!;
      return (pointer >= 4 && pointer % 4 === 0 && pointer <= length + 1) || r.tell('ipv4.opt_malformed');
    }
  }
}

function timestamp(r: FrameReader, at: number, length: number): boolean {
  const pointer = r.data[at + 2]!;
  if (pointer < 5) return r.tell('ipv4.opt_malformed');
  // The byte that Suricata takes for the flag is behind it.
  const flag = r.data[at + 5]!;
  const record = flag === 1 || flag === 3 ? 8 : 4;
  return ((pointer - 5) % record === 0 && pointer <= length + 1) || r.tell('ipv4.opt_malformed');
}

const CIPSO_TAGS = [1, 2, 5, 6, 7];
/** The only tag without a byte for alignment. */
const CIPSO_FREE_FORM = 7;

/** Tags of a commercial IP security option (FIPS 188): type, length, and a byte for alignment that is 0. */
function cipso(r: FrameReader, at: number, length: number): boolean {
  const end = at + length;
  for (let tag = at + 6; tag < end;) {
    const type = r.data[tag]!;
    const size = tag + 1 < end ? r.data[tag + 1]! : 0;
    const isSound = CIPSO_TAGS.includes(type) && size >= 4 && tag + size <= end;
    if (!isSound || (type !== CIPSO_FREE_FORM && r.data[tag + 2] !== 0)) return r.tell('ipv4.opt_malformed');
    tag += size;
  }
  return true;
}
