import { randomFillSync } from 'node:crypto';

const pool = new Uint8Array(16 * 128);
let used = pool.length;
let lastMs = 0;
let sequence = 0;

/**
 * Time-ordered UUID (RFC 9562 5.7): 48-bit epoch milliseconds, 12-bit counter within the millisecond,
 * 62 random bits. Ids made by one process sort in the order they were made.
 * @param ms epoch milliseconds, a fraction is dropped; the wall clock unless given.
 */
export function uuid7(ms: number = Date.now()): string {
  const nowMs = Math.floor(ms);
  if (used >= pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const r = pool.subarray(used, used + 16);
  used += 16;
  if (nowMs > lastMs) {
    lastMs = nowMs;
    sequence = ((r[0] ?? 0) << 3) & 0x7ff;
  } else if (++sequence > 0xfff) {
    lastMs += 1;
    sequence = 0;
  }
  const hexTime = lastMs.toString(16).padStart(12, '0');
  const a = (0x7000 | sequence).toString(16);
  const b = (0x8000 | ((((r[1] ?? 0) << 8) | (r[2] ?? 0)) & 0x3fff)).toString(16);
  const tail = Buffer.from(r.buffer, r.byteOffset + 3, 6).toString('hex');
  return `${hexTime.slice(0, 8)}-${hexTime.slice(8)}-${a}-${b}-${tail}`;
}
