import { isAfter, isBefore } from './sequence.js';

/** Pieces beyond a hole that are remembered; a later one is forgotten, and a gap before it not told. */
const MAX_PIECES = 32;

/** Which bytes of a direction were seen, so that a hole that was acknowledged is told once something follows it. */
export class Coverage {
  /** Everything before this was seen, or was told to be missing. */
  #edge = 0;
  /** Begin and end of what was seen beyond a hole, in order. */
  readonly #pieces: [begin: number, end: number][] = [];

  start(sequence: number): void {
    this.#edge = sequence >>> 0;
    this.#pieces.length = 0;
  }

  add(begin: number, end: number): void {
    if (!isAfter(begin, this.#edge)) this.#reach(end);
    else {
      const pieces = this.#pieces;
      let at = pieces.length;
      while (at > 0 && isAfter(pieces[at - 1]![0], begin)) at--;
      if (pieces.length < MAX_PIECES) pieces.splice(at, 0, [begin, end]);
    }
  }

  /** True when bytes before `acked` are missing and others behind them were seen; told once for each hole. */
  passesHole(acked: number): boolean {
    const next = this.#pieces[0];
    if (next === undefined || !isAfter(acked, this.#edge)) return false;
    this.#reach(next[0]);
    return true;
  }

  #reach(end: number): void {
    if (isAfter(end, this.#edge)) this.#edge = end;
    const pieces = this.#pieces;
    while (pieces.length > 0 && !isBefore(this.#edge, pieces[0]![0])) {
      const [, pieceEnd] = pieces.shift()!;
      if (isAfter(pieceEnd, this.#edge)) this.#edge = pieceEnd;
    }
  }
}
