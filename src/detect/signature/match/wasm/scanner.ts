import { FOLD } from '../../parse/content.js';
import { FOLD_TABLE, INPUT, INPUT_BYTES, TABLES } from './layout.js';
import { SCAN_MODULE } from './program.js';

const PAGE = 65_536;
type Scan = (set: number, begin: number, start: number, stop: number, fresh: number) => number;

/** One memory with the tables of many pattern sets and room for the bytes that are searched. */
export class Scanner {
  readonly #memory = new WebAssembly.Memory({ initial: Math.ceil(TABLES / PAGE) });
  readonly #scan: Scan;
  readonly #grow: (pages: number) => number;
  #end = TABLES;
  #bytes: Uint8Array;
  #words: Uint32Array;

  constructor() {
    const instance = new WebAssembly.Instance(SCAN_MODULE, { env: { memory: this.#memory } });
    this.#scan = instance.exports['scan'] as Scan;
    this.#grow = instance.exports['grow'] as (pages: number) => number;
    this.#bytes = new Uint8Array(this.#memory.buffer);
    this.#words = new Uint32Array(this.#memory.buffer);
    this.#bytes.set(FOLD, FOLD_TABLE);
  }

  /** Bytes of the tables so far. */
  get tableBytes(): number {
    return this.#end - TABLES;
  }

  /** The memory as words; invalid after the next `allocate`. */
  get words(): Uint32Array {
    return this.#words;
  }

  /** Zeroed room for a table, by default aligned for vectors. @returns its address. */
  allocate(size: number, alignment = 16): number {
    const at = (this.#end + alignment - 1) & -alignment;
    this.#end = at + size;
    const missing = this.#end - this.#memory.buffer.byteLength;
    if (missing > 0) {
      if (this.#grow(Math.ceil(missing / PAGE)) < 0) throw new Error('no memory is left for the tables of rules');
      this.#bytes = new Uint8Array(this.#memory.buffer);
      this.#words = new Uint32Array(this.#memory.buffer);
    }
    return at;
  }

  write(address: number, bytes: Uint8Array): void {
    this.#bytes.set(bytes, address);
  }

  /**
   * Searches `data[from .. to)`, at most `INPUT_BYTES`, for the patterns of a set that end behind `fresh`.
   * @param start where looking for grams begins: no pattern that counts has its gram before.
   * @returns how many were found; their indices are in the set's output.
   */
  search(set: number, data: Uint8Array, from: number, start: number, to: number, fresh: number): number {
    const input = this.#bytes;
    const length = to - from;
    if (length > 48) input.set(from === 0 && to === data.length ? data : data.subarray(from, to), INPUT);
    else for (let i = 0; i < length; i++) input[INPUT + i] = data[from + i]!;
    return this.#scan(set, INPUT, INPUT + start - from, INPUT + length, INPUT + fresh - from);
  }
}

export { INPUT_BYTES };
