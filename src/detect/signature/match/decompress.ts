import { constants, gunzipSync, inflateSync } from 'node:zlib';

/** Bytes that come out of a compressed buffer at most, unless a rule says otherwise; as in Suricata. */
const USUAL_BYTES = 1024;
/** No rule gets more. */
const MOST_BYTES = 1_048_576;
const UNITS: Readonly<Record<string, number>> = { '': 1, kb: 1024, kib: 1024, mb: 1_048_576, mib: 1_048_576 };
const EMPTY = new Uint8Array(0);
/** What deflate makes of its input at most (RFC 1951): more input than that cannot count. */
const MOST_INPUT_BYTES = 65_536;

/** `max-size=8`, `max-size 1kb`; nothing for the usual size. */
function parseMaxSize(value: string): number {
  if (value === '') return USUAL_BYTES;
  const m = /^max-size\s*[=\s]\s*(\d+)\s*([a-z]*)$/i.exec(value.trim());
  const unit = UNITS[m?.[2]?.toLowerCase() ?? '-'];
  const bytes = m && unit !== undefined ? Number(m[1]) * unit : 0;
  if (bytes < 1 || bytes > MOST_BYTES) throw new Error(`"${value}" is not max-size with 1 to ${MOST_BYTES} bytes`);
  return bytes;
}

/**
 * The beginning of what was compressed, also of data that is cut short; nothing of what is not compressed so.
 * @param value the rule's `max-size`, or nothing.
 */
export function decompressor(unpack: 'gunzip' | 'zlib_deflate', value: string): (data: Uint8Array) => Uint8Array {
  const most = parseMaxSize(value);
  const inflate = unpack === 'gunzip' ? gunzipSync : inflateSync;
  return (data) => {
    try {
      const input = data.subarray(0, MOST_INPUT_BYTES);
      const out = inflate(input, { maxOutputLength: MOST_BYTES, finishFlush: constants.Z_SYNC_FLUSH });
      return out.subarray(0, most);
    } catch {
      return EMPTY;
    }
  };
}
