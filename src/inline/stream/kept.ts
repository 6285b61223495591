const SMALLEST = 4096;

/** Memory for kept data of all connections. */
export class KeptMemory {
  used = 0;
  readonly max: number;

  constructor(maxBytes: number) {
    this.max = maxBytes;
  }

  take(bytes: number): boolean {
    if (this.used + bytes > this.max) return false;
    this.used += bytes;
    return true;
  }

  give(bytes: number): void {
    this.used -= bytes;
  }
}

/**
 * The judged bytes of one direction that its receiver has not acknowledged: positions `[start, end)`. What is sent again
 * must equal them. A ring that grows up to a limit, then forgets its oldest bytes.
 */
export class KeptBytes {
  start = 0;
  end = 0;
  private ring: Uint8Array = new Uint8Array(0);

  /** @param limit most bytes kept. @returns false when not all of it could be kept. */
  add(data: Uint8Array, offset: number, length: number, memory: KeptMemory, limit: number): boolean {
    let isWhole = true;
    const need = this.end - this.start + length;
    if (need > this.ring.length && !this.grow(need, memory, limit)) {
      const room = this.ring.length;
      isWhole = false;
      if (length >= room) {
        offset += length - room;
        this.end += length - room;
        this.start = this.end;
        length = room;
      } else this.start = this.end + length - room;
    }
    const mask = this.ring.length - 1;
    const at = this.end & mask;
    const first = Math.min(length, this.ring.length - at);
    this.ring.set(data.subarray(offset, offset + first), at);
    if (first < length) this.ring.set(data.subarray(offset + first, offset + length), 0);
    this.end += length;
    return isWhole;
  }

  /** The receiver has everything before this position. */
  forgetBefore(position: number): void {
    this.start = Math.min(this.end, Math.max(this.start, position));
  }

  /** True when the bytes at this position differ from those kept, where there are any. */
  differs(data: Uint8Array, offset: number, length: number, position: number): boolean {
    const from = Math.max(position, this.start);
    const to = Math.min(position + length, this.end);
    const mask = this.ring.length - 1;
    for (let p = from; p < to; p++) if (this.ring[p & mask] !== data[offset + p - position]) return true;
    return false;
  }

  clear(memory: KeptMemory): void {
    memory.give(this.ring.length);
    this.ring = new Uint8Array(0);
    this.start = this.end;
  }

  private grow(need: number, memory: KeptMemory, limit: number): boolean {
    const bytes = Math.max(SMALLEST, 2 ** Math.ceil(Math.log2(need)));
    if (bytes > limit || !memory.take(bytes - this.ring.length)) return false;
    const larger = new Uint8Array(bytes);
    const mask = this.ring.length - 1;
    for (let p = this.start; p < this.end; p++) larger[p & (bytes - 1)] = this.ring[p & mask]!;
    this.ring = larger;
    return true;
  }
}
