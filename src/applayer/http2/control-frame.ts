import type { Direction } from '../../domain/flow.js';
import type { Http2Transaction } from './transaction.js';

export const TYPE = { DATA: 0, HEADERS: 1, PRIORITY: 2, RST: 3, SETTINGS: 4, PUSH: 5, PING: 6, GOAWAY: 7, WINDOW: 8, CONTINUATION: 9 } as const; // prettier-ignore
const MAX_SETTINGS = 64;

/** Frames of a fixed length (RFC 9113 6), bytes. */
const LENGTHS: Readonly<Record<number, number>> = { [TYPE.PRIORITY]: 5, [TYPE.RST]: 4, [TYPE.WINDOW]: 4 };
/** As Suricata has it: the error code need not be there. */
const MIN_GOAWAY = 4;

export function isBadLength(type: number, length: number): boolean {
  return type === TYPE.GOAWAY ? length < MIN_GOAWAY : (LENGTHS[type] ?? length) !== length;
}

/** Frames that may come for a stream that has ended a moment ago. */
export const mayFollowEnd = (type: number): boolean =>
  type === TYPE.RST || type === TYPE.WINDOW || type === TYPE.PRIORITY;

export const u32 = (d: Uint8Array, at = 0): number => d.subarray(at, at + 4).reduce((n, b) => n * 256 + b, 0);

/** What a frame of numbers says. */
export function readControl(tx: Http2Transaction, type: number, body: Uint8Array, direction: Direction): void {
  const numbers = tx.numbers[direction];
  numbers.set(`http2.frametype=${type}`, 1);
  if (isBadLength(type, body.length)) return;
  if (type === TYPE.PRIORITY) numbers.set('http2.priority', body[4]!);
  else if (type === TYPE.WINDOW) numbers.set('http2.window', u32(body) % 2 ** 31);
  else if (type === TYPE.GOAWAY) tx.errorCode = body.length < 8 ? undefined : u32(body, 4);
  else if (type === TYPE.RST) tx.errorCode = u32(body);
  else if (type === TYPE.SETTINGS) {
    for (let at = 0; at + 6 <= Math.min(body.length, 6 * MAX_SETTINGS); at += 6)
      numbers.set(`http2.settings=${body[at]! * 256 + body[at + 1]!}`, u32(body, at + 2));
  }
}
