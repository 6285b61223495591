import { crc32 } from 'node:zlib';

const DIGITS = 8;

/** A value as one line of JSON behind its checksum, so that a line that was cut off or changed is known as one. */
export function toCrcLine(value: unknown): string {
  const json = JSON.stringify(value);
  return `${crc32(json).toString(16).padStart(DIGITS, '0')} ${json}\n`;
}

/** @param line without its line break. @returns undefined when it was cut off or changed. */
export function fromCrcLine(line: Buffer): unknown {
  const json = line.subarray(DIGITS + 1);
  const isWhole = parseInt(line.toString('latin1', 0, DIGITS), 16) === crc32(json);
  return isWhole ? (JSON.parse(json.toString()) as unknown) : undefined;
}
