import { PROGRESS_DONE, type AppProto, type AppTransaction, type BufferValue } from '../domain/app-layer.js';
import type { Direction } from '../domain/flow.js';

/** Values of a transaction by name, for protocols whose fields are few. */
export class FieldTransaction implements AppTransaction {
  readonly proto: AppProto;
  readonly id: number;
  declare readonly side?: Direction;
  readonly progress: [number, number] = [0, 0];
  readonly events: string[] = [];
  readonly fields: [Map<string, Uint8Array | Uint8Array[]>, Map<string, Uint8Array | Uint8Array[]>] = [
    new Map(),
    new Map(),
  ];
  readonly numbers: [Map<string, number>, Map<string, number>] = [new Map(), new Map()];
  private several: Map<string, number[]> | undefined;

  constructor(proto: AppProto, id: number, side?: Direction) {
    this.proto = proto;
    this.id = id;
    if (side !== undefined) this.side = side;
  }

  buffer(name: string, direction: Direction): BufferValue | undefined {
    return this.fields[direction].get(name);
  }

  number(name: string, direction?: Direction): number | undefined {
    if (direction !== undefined) return this.numbers[direction].get(name);
    return this.numbers[0].get(name) ?? this.numbers[1].get(name);
  }

  /** Numbers of answers that there may be several of, by name. */
  get series(): Map<string, number[]> {
    return (this.several ??= new Map());
  }

  /** Known when all answers are there. */
  numbersOf(name: string, direction: Direction): readonly number[] | undefined {
    return this.progress[direction] === PROGRESS_DONE ? (this.several?.get(name) ?? []) : undefined;
  }

  addNumber(name: string, value: number, max = 64): void {
    const known = this.series.get(name);
    if (known === undefined) this.series.set(name, [value]);
    else if (known.length < max) known.push(value);
  }

  note(event: string): void {
    if (!this.events.includes(event)) this.events.push(event);
  }

  /** Adds one value to a field that may have several. */
  add(direction: Direction, name: string, value: Uint8Array, max = 64): void {
    const known = this.fields[direction].get(name);
    if (known === undefined) this.fields[direction].set(name, [value]);
    else if (Array.isArray(known) && known.length < max) known.push(value);
  }

  finish(direction?: Direction): void {
    if (direction !== 1) this.progress[0] = PROGRESS_DONE;
    if (direction !== 0) this.progress[1] = PROGRESS_DONE;
  }
}

interface OpenTransaction extends AppTransaction {
  note(event: string): void;
  finish(): void;
}

/** The transactions of a parser, at most so many: the oldest is given up for a new one. */
export class TransactionList<T extends AppTransaction> {
  readonly all: T[] = [];
  /** The oldest was given up for the newest. */
  isFull = false;
  private readonly max: number;
  private nextId = 0;

  constructor(max: number) {
    this.max = max;
  }

  open(make: (id: number) => T): T {
    const made = make(this.nextId++);
    this.all.push(made);
    this.isFull = this.all.length > this.max;
    if (this.isFull) this.all.shift();
    return made;
  }

  /**
   * An anomaly that belongs to no transaction: told by the one that was opened last, or by one of its own when that is
   * complete; by none before the first, as in Suricata.
   * @param make a transaction of the side that the anomaly is of.
   */
  tell(this: TransactionList<T & OpenTransaction>, event: string, make: (id: number) => T & OpenTransaction): void {
    if (this.nextId === 0) return;
    const last = this.all.at(-1);
    if (last?.progress.some((step) => step !== PROGRESS_DONE) === true) {
      last.note(event);
      return;
    }
    const tx = this.open(make);
    tx.note(event);
    tx.finish();
  }

  release(transaction: AppTransaction): void {
    const at = this.all.indexOf(transaction as T);
    if (at >= 0) this.all.splice(at, 1);
  }
}
