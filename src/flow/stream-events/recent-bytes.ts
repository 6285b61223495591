/** Bytes of one direction that are kept to compare copies with: Suricata keeps a window of what was acknowledged, too. */
const KEPT_BYTES = 65_536;
const SMALLEST = 4096;

/** The last bytes of one direction by sequence number, so that a second copy with other bytes is noticed. */
export class RecentBytes {
  #ring = new Uint8Array(0);
  #begin = 0;
  #length = 0;

  get bytesUsed(): number {
    return this.#ring.length;
  }

  /** Keeps the first copy of each byte. @returns true when the bytes differ from those kept. */
  differs(data: Uint8Array, offset: number, length: number, seq: number): boolean {
    const at = (seq - this.#begin) | 0;
    if (this.#length === 0 || at > this.#length) {
      this.#begin = seq;
      this.#length = 0;
      this.#append(data, offset, length);
      return false;
    }
    const mask = this.#ring.length - 1;
    const until = Math.min(this.#length, at + length);
    for (let i = Math.max(at, 0); i < until; i++)
      if (this.#ring[(this.#begin + i) & mask] !== data[offset + i - at]) return true;
    const fresh = at + length - this.#length;
    if (fresh > 0) this.#append(data, offset + length - fresh, fresh);
    return false;
  }

  #append(data: Uint8Array, offset: number, length: number): void {
    this.#makeRoom(Math.min(KEPT_BYTES, this.#length + length));
    const { length: size } = this.#ring;
    const end = this.#begin + this.#length;
    for (let i = Math.max(0, length - size); i < length; i++) this.#ring[(end + i) & (size - 1)] = data[offset + i]!;
    const surplus = Math.max(0, this.#length + length - size);
    this.#begin = (this.#begin + surplus) >>> 0;
    this.#length += length - surplus;
  }

  #makeRoom(need: number): void {
    const old = this.#ring;
    if (need <= old.length) return;
    let size = Math.max(SMALLEST, old.length);
    while (size < need) size *= 2;
    const larger = new Uint8Array(size);
    for (let i = 0; i < this.#length; i++) {
      const at = this.#begin + i;
      larger[at & (size - 1)] = old[at & (old.length - 1)]!;
    }
    this.#ring = larger;
  }
}
