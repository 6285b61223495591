/**
 * Majority vote by entry (Boyer and Moore 1991): after any number of `add`s, `candidate` is the value that made up more
 * than half of them, if there is one, and `votes` is at least twice its surplus over half.
 */
export class Majority {
  private readonly value: Int32Array;
  private readonly count: Float64Array;

  constructor(entries: number) {
    this.value = new Int32Array(entries);
    this.count = new Float64Array(entries);
  }

  clear(index: number): void {
    this.count[index] = 0;
  }

  add(index: number, value: number): void {
    if (this.count[index] === 0) {
      this.value[index] = value;
      this.count[index] = 1;
    } else this.count[index]! += this.value[index] === (value | 0) ? 1 : -1;
  }

  candidate(index: number): number {
    return this.value[index]!;
  }

  votes(index: number): number {
    return this.count[index]!;
  }
}
