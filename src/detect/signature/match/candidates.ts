/** A set of rule numbers that is filled, read in order and cleared for each packet, without allocation. */
export class Candidates {
  readonly #ids: Int32Array;
  readonly #stamps: Uint32Array;
  #generation = 1;
  size = 0;

  constructor(rules: number) {
    this.#ids = new Int32Array(rules);
    this.#stamps = new Uint32Array(rules);
  }

  clear(): void {
    this.size = 0;
    if (++this.#generation === 0xffffffff) {
      this.#stamps.fill(0);
      this.#generation = 1;
    }
  }

  add(id: number): void {
    if (this.#stamps[id] === this.#generation) return;
    this.#stamps[id] = this.#generation;
    this.#ids[this.size++] = id;
  }

  has(id: number): boolean {
    return this.#stamps[id] === this.#generation;
  }

  /** Number at a place, in ascending order after `sort`. */
  at(place: number): number {
    return this.#ids[place]!;
  }

  sort(): void {
    const ids = this.#ids;
    if (this.size > 24) {
      ids.subarray(0, this.size).sort();
      return;
    }
    for (let i = 1; i < this.size; i++) {
      const id = ids[i]!;
      let k = i;
      for (; k > 0 && ids[k - 1]! > id; k--) ids[k] = ids[k - 1]!;
      ids[k] = id;
    }
  }
}
