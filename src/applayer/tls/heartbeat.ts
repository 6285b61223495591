import type { Direction } from '../../domain/flow.js';

const REQUEST = 1;
const RESPONSE = 2;
const HEADER_BYTES = 3;
/** Least padding behind the payload. */
const PADDING_BYTES = 16;

/**
 * Heartbeats of TLS (RFC 6520), which Heartbleed (CVE-2014-0160) abuses: a request says that it is longer than it is, and the
 * answer brings what lies behind it in memory. One request is in flight at most.
 */
export class Heartbeats {
  private asker: Direction | undefined;
  /** Length of an encrypted request. */
  private asked = 0;
  private readonly note: (event: string) => void;

  constructor(note: (event: string) => void) {
    this.note = note;
  }

  /**
   * @param length of the record.
   * @param body the record's first bytes, undefined when it is encrypted.
   * @returns false when the direction is not to be read any more.
   */
  record(direction: Direction, length: number, body: Uint8Array | undefined): boolean {
    if (body !== undefined && body.length < HEADER_BYTES) return true;
    if (body !== undefined && body[0] !== REQUEST && body[0] !== RESPONSE) return this.invalid();
    if (this.asker === direction) return this.invalid();
    if (this.asker === undefined) {
      this.asker = direction;
      this.asked = body === undefined ? length : 0;
      return body === undefined || this.isSound(length, body);
    }
    const isLonger = body === undefined && this.asked > 0 && this.asked < length;
    this.asker = undefined;
    this.asked = 0;
    if (isLonger) this.note('dataleak_heartbeat_mismatch');
    return !isLonger;
  }

  private isSound(length: number, body: Uint8Array): boolean {
    const claimed = body[1]! * 256 + body[2]!;
    if (claimed > length) {
      this.note('overflow_heartbeat_message');
      return false;
    }
    return length - HEADER_BYTES - claimed >= PADDING_BYTES || this.invalid();
  }

  private invalid(): boolean {
    this.note('invalid_heartbeat_message');
    return false;
  }
}
