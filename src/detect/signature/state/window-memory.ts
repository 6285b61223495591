import type { Direction } from '../../../domain/flow.js';

const KEEP_BYTES = 4_194_304;

/**
 * Counts the bytes that streams keep for rules; beyond the limit they are lent a room that the next stream overwrites. What
 * is given back is handed out again, with the bytes that were there.
 */
export class WindowMemory {
  bytesUsed = 0;
  /** Streams that had to give up what they kept. */
  shed = 0;
  readonly #maxBytes: number;
  readonly #free = new Map<number, Uint8Array[]>();
  #freeBytes = 0;
  readonly #rooms: [Uint8Array?, Uint8Array?] = [];

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  take(size: number): Uint8Array | undefined {
    if (this.bytesUsed + size > this.#maxBytes) return undefined;
    this.bytesUsed += size;
    const known = this.#free.get(size)?.pop();
    if (known === undefined) return new Uint8Array(size);
    this.#freeBytes -= size;
    return known;
  }

  give(data: Uint8Array): void {
    const size = data.length;
    this.bytesUsed -= size;
    if (size === 0 || this.#freeBytes + size > KEEP_BYTES) return;
    this.#freeBytes += size;
    const list = this.#free.get(size);
    if (list === undefined) this.#free.set(size, [data]);
    else list.push(data);
  }

  /** A room for one inspection; each direction of the connection at hand has its own. */
  lend(direction: Direction, size: number): Uint8Array {
    this.shed++;
    return (this.#rooms[direction] ??= new Uint8Array(size));
  }
}
