import type { Direction } from '../../../domain/flow.js';

/** Counts the bytes that streams keep for rules; beyond the limit they are lent a room that the next stream overwrites. */
export class WindowMemory {
  bytesUsed = 0;
  /** Streams that had to give up what they kept. */
  shed = 0;
  readonly #maxBytes: number;
  readonly #rooms: [Uint8Array?, Uint8Array?] = [];

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  take(size: number): Uint8Array | undefined {
    if (this.bytesUsed + size > this.#maxBytes) return undefined;
    this.bytesUsed += size;
    return new Uint8Array(size);
  }

  give(data: Uint8Array): void {
    this.bytesUsed -= data.length;
  }

  /** A room for one inspection; each direction of the connection at hand has its own. */
  lend(direction: Direction, size: number): Uint8Array {
    this.shed++;
    return (this.#rooms[direction] ??= new Uint8Array(size));
  }
}
