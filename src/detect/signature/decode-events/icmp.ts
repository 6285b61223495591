import type { ReadLayer } from './reader.js';

const HEADER_BYTES = 8;

/** Highest code of each type of ICMP that Suricata 7 knows. */
const ICMPV4_CODES: Readonly<Record<number, number>> = { 0: 0, 3: 15, 4: 0, 5: 3, 8: 0, 9: 255, 11: 1, 12: 0, 13: 0, 14: 0, 15: 0, 16: 0, 17: 0, 18: 0 }; // prettier-ignore
/** Types that bring the beginning of a packet: unreachable, quench, redirect, time exceeded, parameter. */
const ICMPV4_ERRORS = [3, 4, 5, 11, 12];

export const icmpv4: ReadLayer = (r, at, end) => {
  if (end - at < HEADER_BYTES) return r.tell('icmpv4.pkt_too_small');
  const type = r.data[at]!;
  const highest = ICMPV4_CODES[type];
  const inner = at + HEADER_BYTES;
  if (highest === undefined) r.tell('icmpv4.unknown_type');
  else if (r.data[at + 1]! > highest) r.tell('icmpv4.unknown_code');
  else if (ICMPV4_ERRORS.includes(type) && (inner < end || type === 4)) {
    if (end - inner < 20) r.tell('icmpv4.ipv4_trunc_pkt');
    else if (r.data[inner]! >> 4 !== 4) r.tell('icmpv4.ipv4_unknown_ver');
  }
  return true;
};

/** The same for ICMPv6; of types 150 to 153 every code. */
const ICMPV6_CODES: Readonly<Record<number, number>> = {
  ...Object.fromEntries(Array.from({ length: 32 }, (_, i) => [128 + i, 0])),
  ...{ 1: 6, 2: 0, 3: 1, 4: 2, 138: 2, 139: 2, 140: 2, 150: 255, 151: 255, 152: 255, 153: 255, 155: 3 },
};
const UNKNOWN = [0, 127];
const ICMPV6_ERRORS = [1, 2, 3, 4];
const MLD = [130, 131, 132];
const EXPERIMENTAL = [100, 101, 200, 201];
const LAST_ASSIGNED = 159;

const isUnassigned = (type: number): boolean =>
  (type > 4 && type < 100) || (type > 101 && type < 127) || (type > LAST_ASSIGNED && type < 200) || type > 201;

/** @param hopLimit of the IPv6 header. */
export const icmpv6: ReadLayer = (r, at, end, hopLimit) => {
  if (end - at < HEADER_BYTES) return r.tell('icmpv6.pkt_too_small');
  const type = r.data[at]!;
  const highest = ICMPV6_CODES[type];
  const inner = at + HEADER_BYTES;
  if (UNKNOWN.includes(type)) r.tell('icmpv6.unknown_type');
  else if (highest !== undefined && r.data[at + 1]! > highest) r.tell('icmpv6.unknown_code');
  else if (ICMPV6_ERRORS.includes(type)) {
    if (end - inner < 40) r.tell('icmpv6.ipv6_trunc_pkt');
    else if (r.data[inner]! >> 4 !== 6) r.tell('icmpv6.ipv6_unknown_version');
  }
  // Listener reports are for the link alone (RFC 2710 3).
  if (MLD.includes(type) && hopLimit !== 1) r.tell('icmpv6.mld_message_with_invalid_hl');
  if (EXPERIMENTAL.includes(type)) r.tell('icmpv6.experimentation_type');
  else if (isUnassigned(type)) r.tell('icmpv6.unassigned_type');
  return true;
};
