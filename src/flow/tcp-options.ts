import type { DecodedPacket } from '../domain/packet.js';

/** Kinds of TCP options (IANA, TCP Parameters). */
export const OPTION = { SACK: 5, TIMESTAMP: 8, MD5: 19, AO: 29, FAST_OPEN: 34 } as const;
const OPT_END = 0;
const OPT_NOP = 1;
const TIMESTAMP_BYTES = 10;

/** Offset of the value of an option of this kind, behind kind and length; -1 without, or in malformed options. */
export function findOption(p: DecodedPacket, wanted: number): number {
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
    if (kind === wanted) return at + 2;
    at += length;
  }
  return -1;
}

/** The experimental options of RFC 6994, and the number in them that stands for fast open before it had a kind. */
const EXPERIMENTS = [253, 254] as const;
const FAST_OPEN_NUMBER = 0xf989;
/** A request for a cookie, and a cookie, with kind, length and number. */
const FAST_OPEN_LENGTHS = [4, 12];

/** RFC 7413: data in the SYN, or the wish to send some the next time. */
export function hasFastOpen(p: DecodedPacket): boolean {
  if (findOption(p, OPTION.FAST_OPEN) >= 0) return true;
  const { data } = p;
  return EXPERIMENTS.some((kind) => {
    const at = findOption(p, kind);
    return (
      at >= 0 && FAST_OPEN_LENGTHS.includes(data[at - 1]!) && ((data[at]! << 8) | data[at + 1]!) === FAST_OPEN_NUMBER
    );
  });
}

/** Sender's value of the timestamp option (RFC 7323), or -1 without. */
export function readTimestamp(p: DecodedPacket): number {
  const at = findTimestamp(p);
  return at < 0 ? -1 : readU32(p.data, at);
}

/** The receiver's value that the timestamp option echoes, or -1 without. */
export function readTimestampEcho(p: DecodedPacket): number {
  const at = findTimestamp(p);
  return at < 0 ? -1 : readU32(p.data, at + 4);
}

function findTimestamp(p: DecodedPacket): number {
  const at = findOption(p, OPTION.TIMESTAMP);
  return at >= 0 && p.data[at - 1] === TIMESTAMP_BYTES ? at : -1;
}

export function readU32(d: Uint8Array, at: number): number {
  return (d[at]! * 2 ** 24 + (d[at + 1]! << 16) + (d[at + 2]! << 8) + d[at + 3]!) >>> 0;
}
