import type { EntropyMatch } from '../rule.js';

/** Shannon's entropy of bytes, bits a byte; 0 of none. */
export function entropyOf(data: Uint8Array): number {
  const counts = new Uint32Array(256);
  for (const byte of data) counts[byte]!++;
  let entropy = 0;
  for (const count of counts) {
    if (count === 0) continue;
    const share = count / data.length;
    entropy -= share * Math.log2(share);
  }
  return entropy;
}

/** Whether the part that is meant is there in full, and as mixed as wanted. */
export function hasEntropy({ offset, bytes, isIn }: EntropyMatch, data: Uint8Array): boolean {
  if (offset + bytes > data.length) return false;
  return isIn(entropyOf(data.subarray(offset, bytes > 0 ? offset + bytes : undefined)));
}
