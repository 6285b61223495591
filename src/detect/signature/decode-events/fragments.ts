const MAX_TRACKED = 1024;
const MAX_PIECES = 64;

/** Remembers which bytes of a packet its fragments have brought, of the 1024 packets seen last. */
export class Fragments {
  /** Pairs of first byte and end. */
  readonly #tracked = new Map<string, number[]>();
  #last = '';

  /**
   * @param key what tells packets apart: their ends and their number.
   * @returns true when an earlier fragment has brought some of `from .. to`.
   */
  overlaps(key: string, from: number, to: number): boolean {
    this.#last = key;
    let pieces = this.#tracked.get(key);
    if (!pieces) {
      if (this.#tracked.size >= MAX_TRACKED) this.#tracked.delete(this.#tracked.keys().next().value!);
      this.#tracked.set(key, (pieces = []));
    }
    let found = false;
    for (let i = 0; i < pieces.length; i += 2) found ||= from < pieces[i + 1]! && to > pieces[i]!;
    if (pieces.length < 2 * MAX_PIECES) pieces.push(from, to);
    return found;
  }

  /** The fragment looked at last was the last one missing. */
  complete(): void {
    this.#tracked.delete(this.#last);
  }
}
