import type { AppParser } from '../../domain/app-layer.js';
import type { Direction } from '../../domain/flow.js';
import { concat, copy, NOTHING } from '../http/bytes.js';
import { createMessageParser, type Transactions } from '../messages.js';
import type { AppLayerOptions } from '../options.js';
import { readObjects } from './objects.js';

const HEADER_BYTES = 10;
const BLOCK_BYTES = 16;
const CRC_BYTES = 2;
/** Control and both addresses, which the length counts. */
const COUNTED_BYTES = 5;
/** Bytes of one application message that are put together. */
const MAX_MESSAGE_BYTES = 65_536;
const FIRST = 0x40;
const FINAL = 0x80;
const RESPONSE = 0x81;
/** Function and indications of an answer. */
const INDICATIONS_BYTES = 4;

const REQUEST_BYTES = 2;
/** Messages at once, before any was looked at, above which it is a flood: as many as in Suricata. */
const FLOOD = 500;

const TABLE = Uint16Array.from({ length: 256 }, (_, i) => {
  let c = i;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0xa6bc : c >>> 1;
  return c;
});

/** CRC of DNP3 (IEEE 1815 9.2.4.1.3): x^16 + x^13 + x^12 + x^11 + x^10 + x^8 + x^6 + x^5 + x^2 + 1. */
export function dnp3Crc(d: Uint8Array): number {
  let crc = 0;
  for (const byte of d) crc = (crc >>> 8) ^ TABLE[(crc ^ byte) & 255]!;
  return ~crc & 0xffff;
}

const isSound = (d: Uint8Array, crcAt: number, from: number): boolean =>
  dnp3Crc(d.subarray(from, crcAt)) === d[crcAt]! + d[crcAt + 1]! * 256;

/**
 * DNP3 over TCP (IEEE 1815): link frames, put together to application messages. Each message is a transaction: its function,
 * the indications of an answer, its objects, and its bytes without checksums.
 */
export function createDnp3Parser(options: AppLayerOptions): AppParser {
  return createMessageParser({
    proto: 'dnp3',
    options,
    transport: 'tcp',
    reader: (transactions) => new Dnp3Reader(transactions),
  });
}

class Dnp3Reader {
  private readonly held: [Uint8Array, Uint8Array] = [NOTHING, NOTHING];
  private readonly transactions: Transactions;

  constructor(transactions: Transactions) {
    this.transactions = transactions;
  }

  /** @returns -1 where no frame begins. */
  length(d: Uint8Array, direction: Direction): number {
    if (d[0] !== 0x05 || (d.length > 1 && d[1] !== 0x64)) return -1;
    if (d.length < HEADER_BYTES) return 0;
    if (d[2]! < COUNTED_BYTES) {
      this.tell(direction, 'len_too_small');
      return -1;
    }
    const user = d[2]! - COUNTED_BYTES;
    return HEADER_BYTES + user + CRC_BYTES * Math.ceil(user / BLOCK_BYTES);
  }

  message(d: Uint8Array, direction: Direction): void {
    if (!isSound(d, HEADER_BYTES - CRC_BYTES, 0)) {
      this.tell(direction, 'bad_link_crc');
      return;
    }
    const user = d[2]! - COUNTED_BYTES;
    const blocks: Uint8Array[] = [];
    for (let at = HEADER_BYTES, left = user; left > 0;) {
      const size = Math.min(BLOCK_BYTES, left);
      if (!isSound(d, at + size, at)) {
        this.tell(direction, 'bad_transport_crc');
        return;
      }
      blocks.push(d.subarray(at, at + size));
      at += size + CRC_BYTES;
      left -= size;
    }
    if (user > 1) this.segment(Buffer.concat(blocks), direction);
  }

  /** A segment of the transport function, with its header. */
  private segment(d: Uint8Array, direction: Direction): void {
    const before = (d[0]! & FIRST) !== 0 ? NOTHING : this.held[direction];
    const whole = concat(before, copy(d.subarray(1)));
    this.held[direction] = whole.length > MAX_MESSAGE_BYTES ? NOTHING : whole;
    if ((d[0]! & FINAL) === 0) return;
    this.held[direction] = NOTHING;
    this.application(whole, direction);
  }

  private application(d: Uint8Array, direction: Direction): void {
    if (d.length < 2) return;
    const tx = this.transactions.open(direction);
    tx.numbers[direction].set('dnp3.func', d[1]!);
    if (d[1]! >= RESPONSE && d.length >= INDICATIONS_BYTES) {
      tx.numbers[direction].set('dnp3.ind', d[2]! * 256 + d[3]!);
    }
    tx.fields[direction].set('dnp3.data', d);
    const objects = readObjects(d.subarray(d[1]! >= RESPONSE ? INDICATIONS_BYTES : REQUEST_BYTES));
    for (const name of objects.names) tx.numbers[direction].set(`dnp3.obj=${name}`, 1);
    if (objects.isUnknown) tx.note('unknown_object');
    if (this.transactions.all.length > FLOOD) tx.note('flooded');
    tx.finish();
  }

  private tell(direction: Direction, event: string): void {
    const tx = this.transactions.open(direction);
    tx.note(event);
    tx.finish();
  }
}
