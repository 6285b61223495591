const SMALLEST_BITS = 10;
const CLASSES = 10;
/** Bytes kept for reuse. */
const KEEP_BYTES = 8 * 1_048_576;

/**
 * Room for headers and bodies in sizes of 2^n bytes. What is given back is handed out again with the bytes that were in it: they cost no
 * allocation outside of the heap, which the system would have to clear and the garbage collector to count.
 */
export class Rooms {
  private readonly free: Uint8Array[][] = Array.from({ length: CLASSES }, () => []);
  private freeBytes = 0;

  /** At least `size` bytes, of any content. */
  take(size: number): Uint8Array {
    const bits = Math.max(SMALLEST_BITS, 32 - Math.clz32(size - 1));
    const known = this.free[bits - SMALLEST_BITS]?.pop();
    if (known === undefined) return new Uint8Array(2 ** bits);
    this.freeBytes -= known.length;
    return known;
  }

  /** Takes a room back that nobody reads any more. */
  give(room: Uint8Array): void {
    const list = this.free[31 - Math.clz32(room.length) - SMALLEST_BITS];
    if (list === undefined || this.freeBytes + room.length > KEEP_BYTES) return;
    this.freeBytes += room.length;
    list.push(room);
  }
}
