import type { DecodedPacket } from '../../domain/packet.js';

const OPT_END = 0;
const OPT_NOP = 1;
const OPT_TIMESTAMP = 8;

/** Sender's value of the timestamp option (RFC 7323), or -1 without. */
export function readTimestamp(p: DecodedPacket): number {
  const at = findTimestamp(p);
  return at < 0 ? -1 : u32(p.data, at);
}

/** The receiver's value that the timestamp option echoes, or -1 without. */
export function readTimestampEcho(p: DecodedPacket): number {
  const at = findTimestamp(p);
  return at < 0 ? -1 : u32(p.data, at + 4);
}

function u32(d: Uint8Array, at: number): number {
  return (d[at]! * 2 ** 24 + (d[at + 1]! << 16) + (d[at + 2]! << 8) + d[at + 3]!) >>> 0;
}

/** Offset of the option's first value, or -1. */
function findTimestamp(p: DecodedPacket): number {
  const { data } = p;
  const end = p.tcpOptionsOffset + p.tcpOptionsLen;
  for (let at = p.tcpOptionsOffset; at < end;) {
    const kind = data[at]!;
    if (kind === OPT_END) return -1;
    if (kind === OPT_NOP) {
      at++;
      continue;
    }
    const length = at + 1 < end ? data[at + 1]! : 0;
    if (length < 2 || at + length > end) return -1;
    if (kind === OPT_TIMESTAMP && length === 10) return at + 2;
    at += length;
  }
  return -1;
}
