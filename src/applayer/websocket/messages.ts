import { Collected, concat } from '../http/bytes.js';
import { Inflate } from '../http/inflate.js';

/** Bits of a frame's first byte (RFC 6455 5.2, RFC 7692 6). */
const FIN = 0x80;
const COMPRESSED = 0x40;
/** Bytes of a message that are kept, as sent; and, the beginning, unpacked. */
export const MAX_MESSAGE_BYTES = 65_536;
/** What a sender leaves out at the end of a compressed message (RFC 7692 7.2.2). */
const TAIL = Uint8Array.from([0, 0, 0xff, 0xff]);

/** Where all messages are unpacked to. */
const unpacked = new Uint8Array(MAX_MESSAGE_BYTES);
let length = 0;

/** Puts the messages of one direction together from their frames. */
export class Messages {
  /** Of the message whose last frame has not come yet. */
  #begun: { bytes: Collected; isCompressed: boolean } | undefined;
  /** A message may go on with the window of those before it (RFC 7692 7.1.1). */
  #inflate: Inflate | undefined;
  /** Not all of the message is kept. */
  isCut = false;

  /** @returns the frame's own bytes, or with the last frame those of the message. @param first the frame's first byte. */
  add(first: number, own: Uint8Array): Uint8Array {
    const before = this.#begun;
    const isLast = (first & FIN) !== 0;
    const isCompressed = before?.isCompressed ?? (first & COMPRESSED) !== 0;
    this.isCut = (before?.bytes.length ?? 0) + own.length > MAX_MESSAGE_BYTES;
    if (isLast && before === undefined) return isCompressed ? this.#unpack(own) : own;
    const message = before ?? { bytes: new Collected(MAX_MESSAGE_BYTES), isCompressed };
    message.bytes.add(own);
    this.#begun = isLast ? undefined : message;
    if (!isLast) return own;
    return isCompressed ? this.#unpack(message.bytes.bytes) : message.bytes.bytes;
  }

  /** As much as there is room for; what cannot be unpacked at all stays as it is. */
  #unpack(bytes: Uint8Array): Uint8Array {
    this.#inflate ??= new Inflate((byte) => (unpacked[length++] = byte));
    length = 0;
    const status = this.#inflate.push(concat(bytes, TAIL), () => length < unpacked.length);
    // Behind an end, an error or a part that was left out there is no window to go on with.
    if (status !== 'more' || this.isCut) this.#inflate = undefined;
    return length > 0 ? unpacked.slice(0, length) : bytes;
  }
}
