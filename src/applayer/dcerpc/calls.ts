import type { Direction } from '../../domain/flow.js';
import { Collected, concat, copy, NOTHING } from '../http/bytes.js';
import type { FieldTransaction } from '../transaction.js';

/** Packet types (C706 12.6.4). */
const TYPE = { REQUEST: 0, RESPONSE: 2, FAULT: 3, BIND: 11, BIND_ACK: 12, ALTER: 14, ALTER_RESP: 15 } as const;
const HEADER = 16;
const FIRST = 1;
const LAST = 2;
const HAS_OBJECT = 0x80;
const MAX_CONTEXTS = 64;
const MAX_CALLS = 64;
const MAX_STUB = 65_536;
const UUID_BYTES = 16;

/** Header of one packet: the length of the whole, or -1 when these bytes are none. */
export function dcerpcLength(d: Uint8Array): number {
  if (d.length < 10) return 0;
  const length = d[4]! & 0x10 ? d[8]! + d[9]! * 256 : d[8]! * 256 + d[9]!;
  return d[0] !== 5 || d[1]! > 1 || length < HEADER ? -1 : length;
}

/** Whether these bytes begin as a packet: a pipe may carry anything. */
export const looksLikeDcerpc = (d: Uint8Array): boolean => d.length >= 10 && d[2]! <= 20 && dcerpcLength(d) > 0;

interface Context {
  uuid: string;
  version: number;
}
interface Call {
  tx: FieldTransaction;
  stubs: [Collected, Collected];
}

/** The calls of one DCE/RPC association (C706 12.6), over TCP or a named pipe. */
export class DcerpcCalls {
  private readonly open: () => FieldTransaction;
  private readonly contexts = new Map<number, Context>();
  private readonly calls = new Map<number, Call>();
  /** Contexts of the last bind, in its order, until they are answered. */
  private proposed: number[] = [];
  private readonly held: [Uint8Array, Uint8Array] = [NOTHING, NOTHING];

  constructor(open: () => FieldTransaction) {
    this.open = open;
  }

  /** Bytes of a pipe, where packets may be cut anywhere. */
  feed(d: Uint8Array, direction: Direction): void {
    let rest = concat(this.held[direction], d);
    while (rest.length > 0) {
      const length = dcerpcLength(rest);
      if (length < 0) rest = NOTHING;
      if (length <= 0 || rest.length < length) break;
      this.packet(rest.subarray(0, length), direction);
      rest = rest.subarray(length);
    }
    this.held[direction] = rest.length > 0 && rest.length <= MAX_STUB ? copy(rest) : NOTHING;
  }

  packet(d: Uint8Array, direction: Direction): void {
    if (d.length < HEADER) return;
    const type = d[2]!;
    if (type === TYPE.BIND || type === TYPE.ALTER) this.bind(d);
    else if (type === TYPE.BIND_ACK || type === TYPE.ALTER_RESP) this.bound(d);
    else if (type === TYPE.REQUEST && direction === 0) this.request(d);
    else if ((type === TYPE.RESPONSE || type === TYPE.FAULT) && direction === 1) this.response(d, type);
  }

  private bind(d: Uint8Array): void {
    const isLittle = (d[4]! & 0x10) !== 0;
    const count = Math.min(d[24] ?? 0, MAX_CONTEXTS);
    this.proposed = [];
    for (let n = 0, at = 28; n < count && at + 44 <= d.length; n++) {
      if (this.contexts.size >= MAX_CONTEXTS) return;
      const version = u16(d, at + 4 + UUID_BYTES, isLittle);
      const id = u16(d, at, isLittle);
      this.proposed.push(id);
      this.contexts.set(id, { uuid: uuidOf(d.subarray(at + 4, at + 20), isLittle), version });
      at += 4 + 20 + 20 * d[at + 2]!;
    }
  }

  /** What the server refuses is not bound: calls of it are of no interface. */
  private bound(d: Uint8Array): void {
    const isLittle = (d[4]! & 0x10) !== 0;
    const behindAddress = HEADER + 10 + u16(d, HEADER + 8, isLittle);
    const results = behindAddress + ((4 - (behindAddress % 4)) % 4);
    const count = Math.min(d[results] ?? 0, this.proposed.length);
    for (let n = 0, at = results + 4; n < count && at + 2 <= d.length; n++, at += 24) {
      if (u16(d, at, isLittle) !== 0) this.contexts.delete(this.proposed[n]!);
    }
    this.proposed = [];
  }

  private request(d: Uint8Array): void {
    const isLittle = (d[4]! & 0x10) !== 0;
    const flags = d[3]!;
    const id = u32(d, 12, isLittle);
    if ((flags & FIRST) !== 0 || !this.calls.has(id)) this.begin(id, d, isLittle);
    const call = this.calls.get(id)!;
    const from = HEADER + 8 + (flags & HAS_OBJECT ? UUID_BYTES : 0);
    call.stubs[0].add(withoutVerifier(d, isLittle).subarray(from));
    call.tx.fields[0].set('dcerpc.stub_data', call.stubs[0].bytes);
    if ((flags & LAST) !== 0) call.tx.finish(0);
  }

  private begin(id: number, d: Uint8Array, isLittle: boolean): void {
    if (this.calls.size >= MAX_CALLS) {
      const [oldest, old] = this.calls.entries().next().value!;
      old.tx.finish();
      this.calls.delete(oldest);
    }
    const tx = this.open();
    this.calls.set(id, { tx, stubs: [new Collected(MAX_STUB), new Collected(MAX_STUB)] });
    const context = this.contexts.get(u16(d, 20, isLittle));
    for (const numbers of tx.numbers) {
      numbers.set('dcerpc.opnum', u16(d, 22, isLittle));
      if (context) numbers.set(`dcerpc.iface=${context.uuid}`, context.version);
    }
  }

  private response(d: Uint8Array, type: number): void {
    const isLittle = (d[4]! & 0x10) !== 0;
    const id = u32(d, 12, isLittle);
    const call = this.calls.get(id);
    if (!call) return;
    if (type === TYPE.RESPONSE) {
      call.stubs[1].add(withoutVerifier(d, isLittle).subarray(HEADER + 8));
      call.tx.fields[1].set('dcerpc.stub_data', call.stubs[1].bytes);
    }
    if (type !== TYPE.FAULT && (d[3]! & LAST) === 0) return;
    call.tx.finish();
    this.calls.delete(id);
  }
}

const u16 = (d: Uint8Array, at: number, isLittle: boolean): number => {
  const a = d[at] ?? 0;
  const b = d[at + 1] ?? 0;
  return isLittle ? a + b * 256 : a * 256 + b;
};
const u32 = (d: Uint8Array, at: number, isLittle: boolean): number =>
  isLittle ? u16(d, at, true) + u16(d, at + 2, true) * 65_536 : u16(d, at, false) * 65_536 + u16(d, at + 2, false);

/** The packet without its authentication at the end (C706 13.2.6). */
function withoutVerifier(d: Uint8Array, isLittle: boolean): Uint8Array {
  const length = u16(d, 10, isLittle);
  if (length === 0) return d;
  const trailer = d.length - length - 8;
  return trailer > HEADER ? d.subarray(0, trailer - (d[trailer + 2] ?? 0)) : d;
}

/** In the usual form: the first three groups follow the byte order of the packet. */
function uuidOf(d: Uint8Array, isLittle: boolean): string {
  const b = [...d];
  const order = isLittle ? [3, 2, 1, 0, 5, 4, 7, 6] : [0, 1, 2, 3, 4, 5, 6, 7];
  const hex = [...order, 8, 9, 10, 11, 12, 13, 14, 15].map((i) => (b[i] ?? 0).toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
