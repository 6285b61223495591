import type { AppParser } from '../../domain/app-layer.js';
import type { Direction } from '../../domain/flow.js';
import { createMessageParser, type MessageReader, type Transactions } from '../messages.js';
import type { AppLayerOptions } from '../options.js';
import type { FieldTransaction } from '../transaction.js';

const HEADER = 7;
const MAX_LENGTH = 254;
/** Requests without an answer, as in Suricata. */
const MAX_WAITING = 500;
const READ = 1;
const WRITE = 2;
const DISCRETES = 1;
const COILS = 2;
const INPUT = 4;
const HOLDING = 8;

/** What a function does (Modbus Application Protocol V1.1b3, 6): access, kind of table, and whether it counts or sets one. */
interface Access {
  how: number;
  table: number;
  /** The request has a number of items behind the address; else one value. */
  counts: boolean;
}
const ACCESS: Readonly<Record<number, Access>> = {
  1: { how: READ, table: COILS, counts: true },
  2: { how: READ, table: DISCRETES, counts: true },
  3: { how: READ, table: HOLDING, counts: true },
  4: { how: READ, table: INPUT, counts: true },
  5: { how: WRITE, table: COILS, counts: false },
  6: { how: WRITE, table: HOLDING, counts: false },
  15: { how: WRITE, table: COILS, counts: true },
  16: { how: WRITE, table: HOLDING, counts: true },
  23: { how: READ | WRITE, table: HOLDING, counts: true },
};
const DIAGNOSTICS = 8;
const ENCAPSULATED = 43;

/** Modbus over TCP (Modbus Messaging on TCP/IP V1.0b): each request with its answer. */
export function createModbusParser(options: AppLayerOptions): AppParser {
  return createMessageParser({ proto: 'modbus', options, transport: 'tcp', reader: (list) => new ModbusReader(list) });
}

class ModbusReader implements MessageReader {
  private readonly list: Transactions;
  private readonly waiting = new Map<number, FieldTransaction>();
  /** Told once for a connection. */
  private isFlooded = false;

  constructor(list: Transactions) {
    this.list = list;
  }

  length(d: Uint8Array): number {
    return d.length < 6 ? 0 : 6 + d[4]! * 256 + d[5]!;
  }

  message(d: Uint8Array, direction: Direction): void {
    const id = d[0]! * 256 + d[1]!;
    const length = d[4]! * 256 + d[5]!;
    const isSound = length >= 2 && length <= MAX_LENGTH && d.length > HEADER;
    const tx = direction === 0 ? this.list.open() : (this.waiting.get(id) ?? this.list.open());
    if (direction === 0) this.remember(id, tx);
    else if (!this.waiting.delete(id)) tx.note('unsolicited_response');
    if (d[2] !== 0 || d[3] !== 0) tx.note('invalid_protocol_id');
    if (!isSound) tx.note('invalid_length');
    else if (direction === 0) request(d, tx);
    else answer(d, tx);
    if (direction === 0) tx.finish(0);
    else tx.finish();
  }

  private remember(id: number, tx: FieldTransaction): void {
    this.waiting.get(id)?.finish();
    this.waiting.set(id, tx);
    if (this.waiting.size <= MAX_WAITING) return;
    const [oldest, old] = this.waiting.entries().next().value!;
    if (!this.isFlooded) tx.note('flooded');
    this.isFlooded = true;
    old.finish();
    this.waiting.delete(oldest);
  }
}

function set(tx: FieldTransaction, name: string, value: number | undefined): void {
  if (value !== undefined && !Number.isNaN(value)) for (const numbers of tx.numbers) numbers.set(name, value);
}

function request(d: Uint8Array, tx: FieldTransaction): void {
  const code = d[HEADER]!;
  const u16 = (at: number): number => d[HEADER + at]! * 256 + d[HEADER + at + 1]!;
  set(tx, 'modbus.unit', d[6]);
  set(tx, 'modbus.function', code);
  if (code === 0 || code > 127) tx.note('invalid_function_code');
  if (code === DIAGNOSTICS) set(tx, 'modbus.subfunction', u16(1));
  if (code === ENCAPSULATED) set(tx, 'modbus.subfunction', d[HEADER + 1]);
  const access = ACCESS[code];
  if (access === undefined) return;
  const address = u16(1);
  for (const how of [READ, WRITE]) set(tx, `modbus.access&${how}`, (access.how & how) === 0 ? 0 : 1);
  set(tx, 'modbus.table', access.table);
  set(tx, 'modbus.address', address);
  const count = access.counts ? u16(3) : 1;
  set(tx, 'modbus.quantity', count);
  if (count < 1 || count > 2000) tx.note('invalid_value');
  if ((access.how & WRITE) === 0) return;
  // What is written first: behind the address, or behind count and size.
  set(tx, 'modbus.value', u16(access.counts ? (code === 23 ? 10 : 6) : 3));
}

function answer(d: Uint8Array, tx: FieldTransaction): void {
  const code = d[HEADER]!;
  const asked = tx.number('modbus.function', 0);
  if (asked !== undefined && (code & 0x7f) !== asked) tx.note('value_mismatch');
  if ((code & 0x80) === 0) return;
  const exception = d[HEADER + 1] ?? 0;
  set(tx, 'modbus.exception', exception);
  if (exception < 1 || exception > 11 || exception === 7 || exception === 9) tx.note('invalid_exception_code');
}
