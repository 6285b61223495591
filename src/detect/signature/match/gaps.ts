/** Bytes of a gap that is worth while to be remembered. */
export const MIN_GAP = 64;

/**
 * Where a content does not begin in a buffer, as earlier searches have shown: a rule looks for it again behind each place where
 * what stands before it was found.
 */
export class Gaps {
  /** In their order; none touches the next. */
  readonly #gaps: { from: number; to: number }[] = [];

  /** First position, of those from `from` on, where the content may begin. */
  skip(from: number): number {
    const gap = this.#gaps[this.#firstBehind(from) - 1];
    return gap === undefined ? from : Math.max(from, gap.to);
  }

  /** @param to first position behind `from` where it begins, or may begin. */
  add(from: number, to: number): void {
    let first = this.#firstBehind(from);
    if (first > 0 && this.#gaps[first - 1]!.to >= from) first--;
    const next = this.#firstBehind(to);
    const joined = { from, to };
    if (first < next) {
      joined.from = Math.min(from, this.#gaps[first]!.from);
      joined.to = Math.max(to, this.#gaps[next - 1]!.to);
    }
    this.#gaps.splice(first, next - first, joined);
  }

  /** Number of the first gap that begins behind a position. */
  #firstBehind(at: number): number {
    let low = 0;
    let high = this.#gaps.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#gaps[middle]!.from <= at) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
