/** Bytes of a cache line. */
const LINE_BYTES = 64;
/** glibc hands out large memory this many bytes behind the beginning of a page; zeroed, and not touched before it is used. */
const LEAD_BYTES = 16;

/**
 * Numbers of 32 bits that begin at a cache line, where memory is handed out as by glibc: records of half a line and a whole
 * one lie in one line then, and not across two, which would cost a look-up in memory each. Elsewhere they are only slower.
 */
export function alignedInts(count: number): Int32Array {
  return new Int32Array(aligned(4 * count), LINE_BYTES - LEAD_BYTES, count);
}

/** The same of 64 bits. */
export function alignedFloats(count: number): Float64Array {
  return new Float64Array(aligned(8 * count), LINE_BYTES - LEAD_BYTES, count);
}

function aligned(bytes: number): ArrayBuffer {
  return new ArrayBuffer(LINE_BYTES - LEAD_BYTES + bytes);
}
