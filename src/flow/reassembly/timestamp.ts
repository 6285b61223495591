import type { DecodedPacket } from '../../domain/packet.js';

const OPT_END = 0;
const OPT_NOP = 1;
const OPT_TIMESTAMP = 8;

/** Sender's value of the timestamp option (RFC 7323), or -1 without. */
export function readTimestamp(p: DecodedPacket): number {
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
    if (kind === OPT_TIMESTAMP && length === 10) {
      return (data[at + 2]! * 2 ** 24 + (data[at + 3]! << 16) + (data[at + 4]! << 8) + data[at + 5]!) >>> 0;
    }
    at += length;
  }
  return -1;
}
