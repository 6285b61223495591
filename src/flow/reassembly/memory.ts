const SMALLEST = 4096;
const CLASSES = 15;
/** Buffers kept for reuse, of each size. */
const KEEP = 256;

/** Hands out buffers of 2^n bytes, takes them back, and counts what is in use. */
export class StreamMemory {
  bytesUsed = 0;
  readonly maxBytes: number;
  private readonly free: Uint8Array[][] = Array.from({ length: CLASSES }, () => []);

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** At least `size` bytes, or undefined when memory is used up. */
  take(size: number): Uint8Array | undefined {
    const index = Math.max(0, 32 - Math.clz32(size - 1) - 12);
    const bytes = SMALLEST << index;
    if (index >= CLASSES || this.bytesUsed + bytes > this.maxBytes) return undefined;
    this.bytesUsed += bytes;
    return this.free[index]!.pop() ?? new Uint8Array(bytes);
  }

  give(buffer: Uint8Array): void {
    const index = 31 - Math.clz32(buffer.length) - 12;
    this.bytesUsed -= buffer.length;
    const list = this.free[index]!;
    if (list.length < KEEP >> index || list.length === 0) list.push(buffer);
  }

  /** Counts a buffer of any size that is not handed out here. */
  reserve(size: number): boolean {
    if (this.bytesUsed + size > this.maxBytes) return false;
    this.bytesUsed += size;
    return true;
  }

  unreserve(size: number): void {
    this.bytesUsed -= size;
  }
}
