import { concat, copy, LF, NOTHING } from './http/bytes.js';

/** Cuts a direction of a text protocol into lines; what is longer than the maximum is cut off and told. */
export class LineReader {
  private held: Uint8Array = NOTHING;
  private readonly max: number;
  private skipping = false;

  constructor(max: number) {
    this.max = max;
  }

  /**
   * Hands over each complete line without its end. `raw` takes bytes that are not lines: it returns how many it took.
   * @param line false from it stops the reading; the rest of the bytes is returned.
   */
  feed(
    data: Uint8Array,
    handlers: {
      line(line: Uint8Array, isCut: boolean): void;
      /** Bytes that are taken as they are before lines are looked for; 0 for none. */
      raw?(data: Uint8Array): number;
      /** True: nothing more is read here. */
      hasEnded?(): boolean;
    },
  ): Uint8Array {
    let rest = concat(this.held, data);
    this.held = NOTHING;
    while (rest.length > 0) {
      if (handlers.hasEnded?.() === true) return rest;
      const taken = handlers.raw?.(rest) ?? 0;
      if (taken > 0) {
        rest = rest.subarray(taken);
        continue;
      }
      const end = rest.indexOf(LF);
      if (end < 0) break;
      if (this.skipping) this.skipping = false;
      else handlers.line(trimEnd(rest.subarray(0, Math.min(end, this.max))), end > this.max);
      rest = rest.subarray(end + 1);
    }
    if (rest.length > this.max) {
      if (!this.skipping) handlers.line(rest.subarray(0, this.max), true);
      this.skipping = true;
      rest = NOTHING;
    }
    this.held = this.skipping ? NOTHING : copy(rest);
    return NOTHING;
  }

  /** Bytes are missing: what comes next is the middle of a line. */
  gap(): void {
    this.held = NOTHING;
    this.skipping = true;
  }
}

function trimEnd(line: Uint8Array): Uint8Array {
  return line.length > 0 && line[line.length - 1] === 13 ? line.subarray(0, line.length - 1) : line;
}
