import type { Direction } from '../../../domain/flow.js';
import type { Alert } from '../alerts.js';
import type { PatternGroup } from '../group/pattern-group.js';
import type { WindowMemory } from './window-memory.js';

const SMALLEST = 2048;
const MAX_BYTES = 65_536;
/** Bytes kept when older ones make room: a rule can still see this far back. */
const KEEP_BYTES = 4096;
const NOTHING = new Uint8Array(0);

/** The newest bytes of one direction of a connection. */
export class StreamWindow {
  data: Uint8Array = NOTHING;
  length = 0;
  /** Position in the stream of the first byte. */
  start = 0;
  /** Bytes that the prefilter has seen. */
  scanned = 0;
  /** The rules it was searched for: others begin again. */
  scannedFor: PatternGroup | undefined;
  /** What `scannedFor` was chosen by: all rules, application protocol and side. */
  chosenFrom: object | undefined;
  chosenApp: string | undefined;
  chosenSide = -1;
  ended = false;
  /** Something came since the last inspection. */
  fresh = false;
  /** Bytes received. */
  total = 0;
  /** Rules whose pattern was found and that wait for the rest. */
  pending: Set<number> | undefined;
  /** Alerts that a later packet of this side brings once more, and the bytes received when the first one came. */
  repeats: Alert[] | undefined;
  repeatsFrom = 0;
  /** Where the last match of a rule ended, so that the same bytes do not match twice. */
  matched: Map<number, number> | undefined;
  /** A search for bodies, too, found none of their patterns from here on; -1 when there was none. */
  #quietFrom = -1;
  /** Position of the first byte that was new then, and bytes before it that patterns of bodies may begin in. */
  #quietFresh = 0;
  #quietReach = 0;
  readonly #memory: WindowMemory;
  readonly #direction: Direction;
  /** No memory is left: the bytes are lent until the next ones come. */
  #isLent = false;

  constructor(memory: WindowMemory, direction: Direction) {
    this.#memory = memory;
    this.#direction = direction;
  }

  add(source: Uint8Array, offset: number, length: number, position: number): void {
    let from = offset;
    let count = length;
    if (position !== this.start + this.length || (this.#isLent && !this.fresh)) this.restart(position);
    this.fresh = true;
    this.#quietFrom = -1;
    this.total = position + length;
    if (count > MAX_BYTES) {
      from += count - MAX_BYTES;
      this.restart(position + count - MAX_BYTES);
      count = MAX_BYTES;
    }
    if (this.length + count > this.data.length) this.#makeRoom(count);
    this.data.set(count === source.length ? source : source.subarray(from, from + count), this.length);
    this.length += count;
  }

  /**
   * The bytes from `scanned` on hold no pattern of bodies.
   * @param from index of the first byte that was searched. @param reach bytes of the longest pattern.
   */
  markQuiet(from: number, reach: number): void {
    this.#quietFrom = this.start + from;
    this.#quietFresh = this.start + this.scanned;
    this.#quietReach = reach;
  }

  /** No pattern of bodies ends behind the first `seen` bytes of the body that begins at a position and goes up to the newest byte. */
  isQuiet(position: number, seen: number): boolean {
    if (this.#quietFrom < 0 || position < 0 || position + seen < this.#quietFresh) return false;
    return this.#quietFrom <= Math.max(position, this.#quietFresh - this.#quietReach);
  }

  restart(position: number): void {
    this.length = 0;
    this.#quietFrom = -1;
    this.scanned = 0;
    this.start = position;
    this.pending?.clear();
  }

  /** Gives the memory back, once nothing more comes. */
  close(): void {
    if (!this.#isLent) this.#memory.give(this.data);
    this.#isLent = false;
    this.data = NOTHING;
    this.restart(this.start + this.length);
  }

  /** The bytes from a position of the stream on. */
  from(position: number): Uint8Array {
    return this.data.subarray(Math.max(0, position - this.start), this.length);
  }

  #makeRoom(count: number): void {
    // Bytes that were inspected go first, beyond those kept for context.
    const drop = Math.max(0, Math.min(this.scanned - KEEP_BYTES, this.length));
    if (drop > 0) {
      this.data.copyWithin(0, drop, this.length);
      this.length -= drop;
      this.scanned -= drop;
      this.start += drop;
      this.pending?.clear();
    }
    if (this.length + count <= this.data.length) return;
    if (this.length + count > MAX_BYTES) this.restart(this.start + this.length);
    let size = SMALLEST;
    while (size < this.length + count) size *= 2;
    if (size > this.data.length) this.#grow(size);
  }

  #grow(size: number): void {
    const larger = this.#isLent ? undefined : this.#memory.take(size);
    if (larger === undefined) {
      this.#lend();
      return;
    }
    larger.set(this.data.subarray(0, this.length));
    this.#memory.give(this.data);
    this.data = larger;
  }

  /** What was kept is given up: the new bytes are seen alone. */
  #lend(): void {
    if (!this.#isLent) this.#memory.give(this.data);
    this.#isLent = true;
    this.restart(this.start + this.length);
    this.data = this.#memory.lend(this.#direction, MAX_BYTES);
  }
}
