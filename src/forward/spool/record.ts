import { crc32c } from './crc32c.js';

/**
 * A spool record: magic (2 bytes), payload length (4), CRC-32C (4) over what follows, sequence number (6), payload,
 * line feed. Little endian. The payload is one JSON event, so a segment can be read with `strings` in an emergency.
 */
const MAGIC = 0x5052;
export const RECORD_HEADER_BYTES = 16;
export const RECORD_OVERHEAD_BYTES = RECORD_HEADER_BYTES + 1;
/** Longest payload that is believed when reading: guards against a damaged length. */
export const MAX_PAYLOAD_BYTES = 4 * 1024 * 1024;

/**
 * Writes a record at `offset`; the buffer must have room for `RECORD_OVERHEAD_BYTES + 3 * json.length`.
 * @returns the offset after it.
 */
export function writeRecord(buffer: Buffer, offset: number, seq: number, json: string): number {
  const length = buffer.write(json, offset + RECORD_HEADER_BYTES);
  const end = offset + RECORD_HEADER_BYTES + length;
  buffer.writeUInt16LE(MAGIC, offset);
  buffer.writeUInt32LE(length, offset + 2);
  buffer.writeUIntLE(seq, offset + 10, 6);
  buffer.writeUInt32LE(crc32c(buffer, offset + 10, end), offset + 6);
  buffer[end] = 10;
  return end + 1;
}

export type RecordCheck =
  | { kind: 'ok'; seq: number; payloadStart: number; payloadEnd: number; next: number }
  | { kind: 'short' }
  | { kind: 'bad' };

/** Looks at the record at `offset`: whole and right, cut off by the end of the buffer, or damaged. */
export function checkRecord(buffer: Buffer, offset: number, end: number): RecordCheck {
  if (end - offset < RECORD_HEADER_BYTES) return { kind: 'short' };
  if (buffer.readUInt16LE(offset) !== MAGIC) return { kind: 'bad' };
  const length = buffer.readUInt32LE(offset + 2);
  if (length === 0 || length > MAX_PAYLOAD_BYTES) return { kind: 'bad' };
  const payloadStart = offset + RECORD_HEADER_BYTES;
  const payloadEnd = payloadStart + length;
  if (payloadEnd + 1 > end) return { kind: 'short' };
  if (crc32c(buffer, offset + 10, payloadEnd) !== buffer.readUInt32LE(offset + 6)) return { kind: 'bad' };
  return { kind: 'ok', seq: buffer.readUIntLE(offset + 10, 6), payloadStart, payloadEnd, next: payloadEnd + 1 };
}

/** Offset of the next whole, right record after damage, or -1. */
export function findRecord(buffer: Buffer, from: number, end: number): number {
  for (let i = from; i < end - RECORD_HEADER_BYTES; i++) {
    if (buffer.readUInt16LE(i) === MAGIC && checkRecord(buffer, i, end).kind === 'ok') return i;
  }
  return -1;
}
