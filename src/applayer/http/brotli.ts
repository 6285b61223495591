import { brotliDecompressSync, constants } from 'node:zlib';
import { Collected } from './bytes.js';

/** Compressed bytes kept of one body. */
const MAX_HELD = 256 * 1024;
/** Decoded bytes of one body; what would be larger is left alone. */
const MAX_DECODED = 4 * 1024 * 1024;
/** Compressed bytes before the first attempt; each next one waits for twice as many. */
const FIRST_TRY = 2048;

/** Undoes brotli (RFC 7932): decodes all it has whenever that has doubled, and at the end. */
export class BrotliLayer {
  private readonly held = new Collected(MAX_HELD);
  private readonly maxExpansion: number;
  private readonly next: (data: Uint8Array) => void;
  private emitted = 0;
  private tryAt = FIRST_TRY;

  constructor(maxExpansion: number, next: (data: Uint8Array) => void) {
    this.maxExpansion = maxExpansion;
    this.next = next;
  }

  push(data: Uint8Array): void {
    if (this.held.isFull) return;
    this.held.add(data);
    if (this.held.bytes.length < this.tryAt && !this.held.isFull) return;
    this.tryAt = 2 * this.held.bytes.length;
    this.decode();
  }

  flush(): void {
    if (this.held.bytes.length > 0) this.decode();
  }

  private decode(): void {
    const input = this.held.bytes;
    let decoded: Uint8Array;
    try {
      decoded = brotliDecompressSync(input, {
        finishFlush: constants.BROTLI_OPERATION_FLUSH,
        maxOutputLength: Math.min(MAX_DECODED, 65_536 + this.maxExpansion * input.length),
      });
    } catch {
      return;
    }
    if (decoded.length <= this.emitted) return;
    const fresh = decoded.subarray(this.emitted);
    this.emitted = decoded.length;
    this.next(new Uint8Array(fresh));
  }
}
