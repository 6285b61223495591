import { PROGRESS_DONE, type AppParser, type AppTransaction } from '../../domain/app-layer.js';
import type { Direction } from '../../domain/flow.js';
import { concat, copy, latin1, NOTHING } from '../http/bytes.js';
import { BodyDecoder, parseEncodings } from '../http/decode-body.js';
import type { AppLayerOptions } from '../options.js';
import { TransactionList } from '../transaction.js';
import { isBadLength, mayFollowEnd, readControl, TYPE, u32 } from './control-frame.js';
import { fieldEvents } from './field-events.js';
import { HpackDecoder, type Field } from './hpack.js';
import { Http2Transaction } from './transaction.js';

const PREFACE_BYTES = 24;
const HEADER_BYTES = 9;
/** Frames that are read for their numbers alone. */
const CONTROL = new Set<number>([TYPE.PRIORITY, TYPE.SETTINGS, TYPE.PING, TYPE.GOAWAY, TYPE.WINDOW]);
const MAX_CONTROL = 4096;
const END_STREAM = 1;
const END_HEADERS = 4;
const PADDED = 8;
const PRIORITY = 32;
/** Fields of one message kept, and bytes of one header block, in several frames: the same as in Suricata. */
const MAX_FIELDS = 512;
const MAX_BLOCK = 100 * 1024;
/** Longest DNS message: over HTTP/2 it may not be longer than over UDP. */
const MAX_DNS = 65_535;

/**
 * HTTP/2 over TCP without TLS (RFC 9113).
 * @param events what is odd about the request of HTTP/1 that asked for it, which is stream 1 (RFC 7540 3.2).
 */
export function createHttp2Parser(options: AppLayerOptions, events: readonly string[] = []): AppParser {
  return new Http2Parser(options, events);
}

/** A header block that CONTINUATION frames go on with. */
interface OpenBlock {
  stream: number;
  bytes: Uint8Array;
  endsStream: boolean;
}

class Http2Parser implements AppParser {
  readonly proto = 'http2';
  private readonly options: AppLayerOptions;
  private readonly list: TransactionList<Http2Transaction>;
  private readonly streams = new Map<number, Http2Transaction>();
  private readonly hpack: readonly [HpackDecoder, HpackDecoder];
  private readonly held: [Uint8Array, Uint8Array] = [NOTHING, NOTHING];
  private readonly isLost = [false, false];
  private readonly open: [OpenBlock | undefined, OpenBlock | undefined] = [undefined, undefined];
  /** Bytes of a DATA frame that are still to come, and of its padding. */
  private readonly data: [number, number] = [0, 0];
  private readonly dataStream = [0, 0];
  private readonly dataEnds = [false, false];
  private readonly skip = [PREFACE_BYTES, 0];

  constructor(options: AppLayerOptions, events: readonly string[]) {
    this.options = options;
    this.list = new TransactionList(options.maxTransactions);
    const table = options.http2HeaderKiB * 1024;
    this.hpack = [new HpackDecoder(table), new HpackDecoder(table)];
    for (const event of events) this.stream(1).note(event);
  }

  get transactions(): readonly Http2Transaction[] {
    return this.list.all;
  }

  release(transaction: AppTransaction): void {
    this.list.release(transaction);
    for (const [id, tx] of this.streams) if (tx === transaction) this.streams.delete(id);
  }

  onData(direction: Direction, data: Uint8Array, offset: number, length: number): void {
    if (this.isLost[direction]) return;
    let rest = concat(this.held[direction], data.subarray(offset, offset + length));
    while (rest.length > 0) {
      const used = this.step(rest, direction);
      if (this.isLost[direction]) return;
      if (used === 0) break;
      rest = rest.subarray(used);
    }
    this.held[direction] = rest.length > 0 ? copy(rest) : NOTHING;
  }

  onGap(direction: Direction): void {
    this.lose(direction);
  }

  onEnd(direction: Direction): void {
    for (const tx of this.list.all) tx.finish(direction);
  }

  private lose(direction: Direction): void {
    this.isLost[direction] = true;
    this.held[direction] = NOTHING;
    this.open[direction] = undefined;
  }

  private stream(id: number): Http2Transaction {
    let tx = this.streams.get(id);
    if (!tx) {
      tx = this.list.open((n) => new Http2Transaction(n, this.options.http2BodyKiB * 1024));
      if (this.list.isFull) tx.note('too_many_streams');
      if (this.streams.size >= this.options.maxTransactions) this.streams.delete(this.streams.keys().next().value!);
      this.streams.set(id, tx);
    }
    return tx;
  }

  /** An anomaly of a frame, told by the transaction that was opened last, as in Suricata. */
  private note(event: string, direction: Direction): void {
    this.list.tell(event, (id) => new Http2Transaction(id, 0, direction));
  }

  /** @returns bytes used, 0 when a frame is not complete. */
  private step(d: Uint8Array, direction: Direction): number {
    if (this.data[direction] > 0) return this.dataBytes(d, direction);
    if (this.skip[direction]! > 0) {
      const n = Math.min(this.skip[direction]!, d.length);
      this.skip[direction]! -= n;
      return n;
    }
    if (d.length < HEADER_BYTES) return 0;
    const length = d[0]! * 65_536 + d[1]! * 256 + d[2]!;
    const type = d[3]!;
    const flags = d[4]!;
    const id = (d[5]! & 127) * 0x1000000 + d[6]! * 65_536 + d[7]! * 256 + d[8]!;
    if (this.isOver(id) && !mayFollowEnd(type)) this.note('stream_id_reuse', direction);
    // Says nothing, or that what the other side said is accepted: no transaction, as in Suricata.
    if (type === TYPE.SETTINGS && length === 0) return HEADER_BYTES;
    if (type === TYPE.DATA) return this.openData(d, { length, flags, id }, direction);
    if (CONTROL.has(type) && length <= MAX_CONTROL) {
      if (d.length < HEADER_BYTES + length) return 0;
      this.control({ type, id, body: d.subarray(HEADER_BYTES, HEADER_BYTES + length) }, direction);
      return HEADER_BYTES + length;
    }
    const isKept = type === TYPE.HEADERS || type === TYPE.CONTINUATION || type === TYPE.PUSH || type === TYPE.RST;
    if (!isKept || length > MAX_BLOCK) {
      if (isKept) this.stream(id).note('long_frame_data');
      this.skip[direction] = length;
      return HEADER_BYTES;
    }
    if (d.length < HEADER_BYTES + length) return 0;
    this.frame({ type, flags, id, body: d.subarray(HEADER_BYTES, HEADER_BYTES + length) }, direction);
    return HEADER_BYTES + length;
  }

  /** A frame of numbers: of its stream, or of the connection, then a transaction by itself. */
  private control(f: { type: number; id: number; body: Uint8Array }, direction: Direction): void {
    const ofStream = f.id === 0 ? undefined : this.streams.get(f.id);
    if (f.id !== 0 && ofStream === undefined) return;
    if (isBadLength(f.type, f.body.length)) this.note('invalid_frame_length', direction);
    const tx = ofStream ?? this.list.open((n) => new Http2Transaction(n, 0, direction));
    readControl(tx, f.type, f.body, direction);
    if (ofStream === undefined) tx.finish();
  }

  /** Both sides have ended the stream, and it is not forgotten yet. */
  private isOver(id: number): boolean {
    const tx = id === 0 ? undefined : this.streams.get(id);
    return tx?.progress[0] === PROGRESS_DONE && tx.progress[1] === PROGRESS_DONE;
  }

  private openData(d: Uint8Array, f: { length: number; flags: number; id: number }, direction: Direction): number {
    const isPadded = (f.flags & PADDED) !== 0 && f.length > 0;
    if (isPadded && d.length < HEADER_BYTES + 1) return 0;
    const padding = isPadded ? Math.min(d[HEADER_BYTES]!, f.length - 1) : 0;
    this.data[direction] = f.length - (isPadded ? 1 : 0) - padding;
    this.skip[direction] = padding;
    this.dataStream[direction] = f.id;
    this.dataEnds[direction] = (f.flags & END_STREAM) !== 0;
    const tx = this.streams.get(f.id);
    tx?.numbers[direction].set(`http2.frametype=${TYPE.DATA}`, 1);
    if (this.data[direction] === 0 && this.dataEnds[direction]) tx?.finish(direction);
    return HEADER_BYTES + (isPadded ? 1 : 0);
  }

  private dataBytes(d: Uint8Array, direction: Direction): number {
    const n = Math.min(this.data[direction], d.length);
    this.data[direction] -= n;
    const tx = this.streams.get(this.dataStream[direction]!);
    if (!tx) return n;
    const message = tx.messages[direction];
    message.bodyBytes += n;
    if (message.bodyBytes > MAX_DNS && latin1(message.get('content-type') ?? NOTHING) === 'application/dns-message')
      tx.note(direction === 0 ? 'dns_request_too_long' : 'dns_response_too_long');
    if (message.decoder) message.decoder.push(d.subarray(0, n));
    else message.body.add(d.subarray(0, n));
    if (this.data[direction] === 0 && this.dataEnds[direction]) tx.finish(direction);
    return n;
  }

  private frame(f: { type: number; flags: number; id: number; body: Uint8Array }, direction: Direction): void {
    if (f.type === TYPE.RST) {
      if (isBadLength(f.type, f.body.length)) this.note('invalid_frame_length', direction);
      const tx = this.streams.get(f.id);
      if (!tx) return;
      readControl(tx, f.type, f.body, direction);
      tx.finish();
      return;
    }
    let { body } = f;
    let { id } = f;
    if (f.type === TYPE.CONTINUATION) {
      const open = this.open[direction];
      if (!open || open.stream !== id || open.bytes.length + body.length > MAX_BLOCK) {
        if (open?.stream === id) this.note('reassembly_limit_reached', direction);
        this.lose(direction);
        return;
      }
      open.bytes = concat(open.bytes, copy(body));
    } else {
      let padding = 0;
      const fixed = (f.flags & PADDED ? 1 : 0) + (f.type === TYPE.PUSH ? 4 : f.flags & PRIORITY ? 5 : 0);
      if (body.length < fixed) {
        this.note('invalid_frame_data', direction);
        return;
      }
      if (f.flags & PADDED) {
        padding = body[0]!;
        body = body.subarray(1);
      }
      if (f.type === TYPE.HEADERS && f.flags & PRIORITY) {
        this.stream(id).numbers[direction].set('http2.priority', body[4] ?? 0);
        body = body.subarray(5);
      }
      if (f.type === TYPE.PUSH) {
        id = u32(body) % 2 ** 31;
        body = body.subarray(4);
      }
      const endsStream = f.type === TYPE.HEADERS && (f.flags & END_STREAM) !== 0;
      this.open[direction] = {
        stream: id,
        bytes: copy(body.subarray(0, Math.max(0, body.length - padding))),
        endsStream,
      };
    }
    if (f.flags & END_HEADERS) this.block(direction);
  }

  /** A header block is complete. */
  private block(direction: Direction): void {
    const open = this.open[direction];
    if (!open) return;
    this.open[direction] = undefined;
    const known = this.streams.get(open.stream)?.messages[direction].fields.length ?? 0;
    const maxBytes = this.options.httpHeaderKiB * 1024;
    const { fields, fault, ...block } = this.hpack[direction].decode(open.bytes, MAX_FIELDS - known, maxBytes);
    if (block.hasBadIndex || fault === 'integer overflow') this.note('invalid_header', direction);
    if (fault === 'cut') this.note('invalid_frame_data', direction);
    if (fault === 'integer overflow') this.note('extra_header_data', direction);
    const tx = this.stream(open.stream);
    tx.numbers[direction].set(`http2.frametype=${TYPE.HEADERS}`, 1);
    if (block.sizeUpdate !== undefined) tx.numbers[direction].set('http2.size_update', block.sizeUpdate);
    const message = tx.messages[direction];
    message.fields.push(...fields);
    this.chooseDecoder(tx, direction, fields);
    for (const event of fieldEvents((name) => message.get(name))) tx.note(event);
    if (open.endsStream) tx.finish(direction);
    else tx.progress[direction] = Math.max(tx.progress[direction], 1);
    if (fault !== undefined) this.lose(direction);
  }

  private chooseDecoder(tx: Http2Transaction, direction: Direction, fields: readonly Field[]): void {
    const message = tx.messages[direction];
    if (message.decoder || !fields.some((f) => latin1(f.name) === 'content-encoding')) return;
    const value = message.get('content-encoding');
    const { encodings } = parseEncodings(latin1(value ?? NOTHING), this.options.httpContentEncodings);
    if (encodings.length === 0) return;
    message.decoder = new BodyDecoder(encodings, this.options.httpMaxExpansion, {
      emit: (data) => {
        message.body.add(data);
      },
      note: () => {
        tx.note('failed_decompression');
      },
    });
  }
}
