import { PROGRESS_DONE, type AppParser, type AppTransaction } from '../../domain/app-layer.js';
import type { Direction } from '../../domain/flow.js';
import { NOTHING, concat, copy } from '../http/bytes.js';
import type { AppLayerOptions } from '../options.js';
import { certificateEvent } from './certificate-events.js';
import { Heartbeats } from './heartbeat.js';
import { parseHello } from './hello.js';
import { SSL2, TlsTransaction } from './transaction.js';

const HANDSHAKE = 22;
const CHANGE_CIPHER = 20;
const CLIENT_HELLO = 1;
const SERVER_HELLO = 2;
const CERTIFICATE = 11;
const SERVER_HELLO_DONE = 14;
const HEARTBEAT = 24;
/** Types of handshake messages before encryption (RFC 5246 7.4, RFC 6066, RFC 5077). */
const MESSAGES = new Set([0, 1, 2, 4, 11, 12, 13, 14, 15, 16, 20, 21, 22]);
/** Records handed over at once, which is about a packet. */
const MAX_RECORDS = 255;
/** Only SSLv2 has one of these bits in its first byte. */
const SSL2_BITS = 0xc0;
/** Message of SSLv2 by which a side says that it cannot go on. */
const SSL2_ERROR = 0;
/** `ssl_state` by the type of a handshake message (RFC 5246 7.4). */
const STATES: Readonly<Record<number, number>> = { 1: 1, 2: 2, 16: 4, 12: 8 };
const MAX_RECORD = 16_384 + 2048;
const TLS13 = 0x0304;

/** The handshake of TLS 1.0 to 1.3, SSLv3, and SSLv2 hellos; what is encrypted is not read. */
export function createTlsParser(options: AppLayerOptions): AppParser {
  return new TlsParser(options);
}

class TlsParser implements AppParser {
  readonly proto = 'tls';
  readonly transactions: TlsTransaction[];
  private readonly tx = new TlsTransaction();
  private readonly records: [Uint8Array, Uint8Array] = [NOTHING, NOTHING];
  private readonly messages: [Uint8Array, Uint8Array] = [NOTHING, NOTHING];
  /** What follows in a direction is encrypted, or cannot be read any more. */
  private readonly isOver = [false, false];
  private readonly isHidden = [false, false];
  private readonly seen = [0, 0];
  private readonly maxMessage: number;
  private readonly heartbeats = new Heartbeats((event) => {
    // The handshake may be long over.
    const tx = this.transactions[0] ?? new TlsTransaction(this.tx.id + 1);
    tx.progress.fill(PROGRESS_DONE);
    tx.note(event);
    if (this.transactions.length === 0) this.transactions.push(tx);
  });
  /** The client's hello was one of SSLv2, and so is what follows. */
  private isSsl2 = false;
  /** Bytes of an encrypted record still to come. */
  private readonly skip = [0, 0];

  constructor(options: AppLayerOptions) {
    this.maxMessage = options.tlsHandshakeKiB * 1024;
    this.transactions = [this.tx];
  }

  get isEncrypted(): boolean {
    return this.isHidden[0]! && this.isHidden[1]!;
  }

  onData(direction: Direction, data: Uint8Array, offset: number, length: number): void {
    if (this.isOver[direction] && !this.isHidden[direction]) return;
    const skipped = Math.min(this.skip[direction]!, length);
    this.skip[direction]! -= skipped;
    if (skipped === length) return;
    let rest = concat(this.records[direction], data.subarray(offset + skipped, offset + length));
    let records = 0;
    while (rest.length >= 5 && (!this.isOver[direction] || this.isHidden[direction])) {
      if (++records > MAX_RECORDS && !this.isHidden[direction]) {
        this.tx.note('too_many_records_in_packet');
        this.lose(direction);
        break;
      }
      const used = this.isHidden[direction] ? this.hiddenRecord(rest, direction) : this.record(rest, direction);
      if (used === 0) break;
      rest = rest.subarray(used);
    }
    const isDone = this.isOver[direction] && !this.isHidden[direction];
    this.records[direction] = isDone || rest.length === 0 ? NOTHING : copy(rest);
  }

  onGap(direction: Direction): void {
    this.lose(direction);
  }

  onEnd(direction: Direction): void {
    this.finish(direction);
  }

  release(transaction: AppTransaction): void {
    const at = this.transactions.indexOf(transaction as TlsTransaction);
    if (at >= 0) this.transactions.splice(at, 1);
  }

  private hide(direction: Direction): void {
    this.isHidden[direction] = true;
    this.finish(direction);
  }

  /** Where records begin is not known any more, or nobody should look at them. */
  private lose(direction: Direction): void {
    this.skip[direction] = Infinity;
    this.finish(direction);
  }

  private finish(direction: Direction): void {
    this.isOver[direction] = true;
    this.records[direction] = this.messages[direction] = NOTHING;
    this.tx.progress[direction] = PROGRESS_DONE;
  }

  /** Of encrypted records the lengths of heartbeats tell something. @returns bytes used. */
  private hiddenRecord(d: Uint8Array, direction: Direction): number {
    const length = d[3]! * 256 + d[4]!;
    const isRecord = d[0]! >= CHANGE_CIPHER && d[0]! <= HEARTBEAT && d[1] === 3 && length <= MAX_RECORD;
    if (!isRecord || (d[0] === HEARTBEAT && !this.heartbeats.record(direction, length, undefined))) {
      this.lose(direction);
      return d.length;
    }
    this.skip[direction] = Math.max(0, 5 + length - d.length);
    return Math.min(d.length, 5 + length);
  }

  /** @returns bytes used, or 0 when the record is not complete. */
  private record(d: Uint8Array, direction: Direction): number {
    const type = d[0]!;
    if (this.seen[direction] === 0 && type & 0x80 && d[2] === CLIENT_HELLO) return this.sslv2(d, direction);
    if (type & SSL2_BITS) return this.isSsl2 ? this.ssl2Record(d, direction) : this.olderRecord(d, direction);
    const version = d[1]! * 256 + d[2]!;
    const length = d[3]! * 256 + d[4]!;
    const isVersion = d[1] === 3 && d[2]! <= 4;
    const isType = type >= CHANGE_CIPHER && type <= HEARTBEAT;
    if (!isType || !isVersion || length > MAX_RECORD) {
      if (!isType) this.tx.note('invalid_record_type');
      else if (!isVersion) this.tx.note('invalid_record_version');
      this.lose(direction);
      return d.length;
    }
    if (type !== HANDSHAKE) {
      if (d.length < 5 + length) return 0;
      if (type === HEARTBEAT && !this.heartbeats.record(direction, length, d.subarray(5, 5 + length))) {
        this.lose(direction);
        return d.length;
      }
      // From here on records are encrypted; in TLS 1.3 a ChangeCipherSpec is only decoration.
      if (type === CHANGE_CIPHER || type === 23) this.hide(direction);
      return 5 + length;
    }
    if (d.length < 5 + length) return 0;
    this.seen[direction]!++;
    this.tx.recordVersion = version;
    this.handshake(d.subarray(5, 5 + length), direction);
    return 5 + length;
  }

  private handshake(fragment: Uint8Array, direction: Direction): void {
    let rest = concat(this.messages[direction], fragment);
    while (rest.length >= 4) {
      const length = rest[1]! * 65_536 + rest[2]! * 256 + rest[3]!;
      if (length > this.maxMessage) {
        this.tx.note('invalid_handshake_message');
        this.finish(direction);
        return;
      }
      if (rest.length < 4 + length) break;
      this.message(rest[0]!, rest.subarray(4, 4 + length), direction);
      if (this.isOver[direction]) return;
      rest = rest.subarray(4 + length);
    }
    this.messages[direction] = rest.length > 0 ? copy(rest) : NOTHING;
  }

  private message(type: number, body: Uint8Array, direction: Direction): void {
    const { tx } = this;
    tx.states |= STATES[type] ?? 0;
    if (type === CLIENT_HELLO && direction === 0) {
      tx.client ??= parseHello(body, true, this.note);
      tx.progress[0] = Math.max(tx.progress[0], 1);
    } else if (type === SERVER_HELLO && direction === 1) {
      tx.server ??= parseHello(body, false, this.note);
      tx.progress[1] = Math.max(tx.progress[1], 1);
      if (tx.server?.version === TLS13) this.hide(1);
    } else if (type === CERTIFICATE) {
      this.certificates(body, direction);
      tx.progress[direction] = Math.max(tx.progress[direction], 2);
    } else if (type === SERVER_HELLO_DONE) {
      tx.progress[1] = Math.max(tx.progress[1], 3);
    }
    const isEmpty = body.length === 0 && type !== SERVER_HELLO_DONE && type !== 0;
    if (isEmpty || !MESSAGES.has(type)) tx.note('invalid_handshake_message');
  }

  private readonly note = (event: string): void => {
    this.tx.note(event);
  };

  private certificates(body: Uint8Array, direction: Direction): void {
    const known = this.tx.certificates[direction];
    const listed = body.length < 3 ? 0 : body[0]! * 65_536 + body[1]! * 256 + body[2]!;
    if (known.length > 0 || 3 + listed > body.length) return;
    for (let at = 3; at + 3 <= body.length && known.length < 16;) {
      const length = body[at]! * 65_536 + body[at + 1]! * 256 + body[at + 2]!;
      at += 3;
      if (at + length > body.length) {
        this.tx.note('invalid_certificate');
        return;
      }
      const certificate = copy(body.subarray(at, at + length));
      known.push(certificate);
      const event = known.length === 1 ? certificateEvent(certificate) : undefined;
      if (event !== undefined) this.tx.note(event);
      at += length;
    }
  }

  /** A client hello in the record format of SSLv2, which offers any version. */
  private sslv2(d: Uint8Array, direction: Direction): number {
    const length = (d[0]! & 0x7f) * 256 + d[1]!;
    if (d.length < 2 + length) return 0;
    this.seen[direction]!++;
    const version = d[3]! * 256 + d[4]!;
    // Version, lengths of three lists, and the lists.
    if (length < 9) this.tx.note('invalid_ssl_record');
    this.tx.recordVersion = version === 2 ? SSL2 : version;
    this.tx.progress[0] = Math.max(this.tx.progress[0], 1);
    if (version === 2) {
      this.isSsl2 = true;
      this.tx.progress[direction] = PROGRESS_DONE;
    }
    return 2 + length;
  }

  /** What follows a hello of SSLv2: a header of two bytes, or of three when there is padding (draft-hickman-netscape-ssl 1.1). */
  private ssl2Record(d: Uint8Array, direction: Direction): number {
    const isPadded = (d[0]! & 0x80) === 0;
    const header = isPadded ? 3 : 2;
    const length = (d[0]! & (isPadded ? 0x3f : 0x7f)) * 256 + d[1]!;
    if (length === 0) {
      this.tx.note('invalid_sslv2_header');
      this.tx.note('invalid_ssl_record');
      this.lose(direction);
      return d.length;
    }
    if (d.length < header + length) return 0;
    if (d[header] === SSL2_ERROR) this.tx.note('error_message_encountered');
    return header + length;
  }

  /** A record of SSLv2 that is no client hello. */
  private olderRecord(d: Uint8Array, direction: Direction): number {
    const length = (d[0]! & 0x7f) * 256 + d[1]!;
    if ((d[0]! & 0x80) !== 0 && length < d.length - 1 && d[2]! > 0 && d[2]! < 9 && direction === 0) {
      this.tx.note('invalid_ssl_record');
    }
    this.lose(direction);
    return d.length;
  }
}
