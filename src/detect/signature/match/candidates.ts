/** A set of rule numbers that is filled, read in order and cleared for each packet, without allocation. */
export class Candidates {
  #ids: Int32Array;
  #stamps: Uint32Array;
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

  /** A copy in ascending order: evaluating a rule may begin another round. */
  sorted(): readonly number[] {
    return this.size === 1 ? [this.#ids[0]!] : Array.from(this.#ids.subarray(0, this.size).sort());
  }
}
