const NLA_F_NESTED = 0x8000;
const NLA_TYPE_MASK = 0x3fff;
const ATTRIBUTE_MAX = 65_000;

/** Header fields of a netlink message (include/uapi/linux/netlink.h). */
export interface NetlinkMessage {
  type: number;
  flags: number;
  seq: number;
  /** Port id of the author, for notifications. */
  portId: number;
  payload: Buffer;
}

export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;
export const NLM_F_REQUEST = 1;
export const NLM_F_ACK = 4;
export const NLM_F_CREATE = 0x400;
export const NLM_F_DUMP = 0x300;

/** Writes netlink messages one after the other into a growing buffer (host byte order: little-endian machines). */
export class MessageWriter {
  private buffer = Buffer.alloc(64 * 1024);
  private used = 0;
  private messageStart = 0;

  /** What was written so far; valid until the next write. */
  bytes(): Buffer {
    return this.buffer.subarray(0, this.used);
  }

  reset(): void {
    this.used = 0;
  }

  get length(): number {
    return this.used;
  }

  /** Size of the buffer. */
  get capacity(): number {
    return this.buffer.length;
  }

  /** Bytes of the message being written. */
  get messageLength(): number {
    return this.used - this.messageStart;
  }

  /** Starts a message with an nfgenmsg header (include/uapi/linux/netfilter/nfnetlink.h). */
  begin(header: { type: number; flags: number; seq: number; family: number; resourceId?: number }): void {
    this.reserve(20);
    this.messageStart = this.used;
    const b = this.buffer;
    b.writeUInt16LE(header.type, this.used + 4);
    b.writeUInt16LE(header.flags, this.used + 6);
    b.writeUInt32LE(header.seq, this.used + 8);
    b.writeUInt32LE(0, this.used + 12);
    b.writeUInt8(header.family, this.used + 16);
    b.writeUInt8(0, this.used + 17);
    b.writeUInt16BE(header.resourceId ?? 0, this.used + 18);
    this.used += 20;
  }

  end(): void {
    this.buffer.writeUInt32LE(this.used - this.messageStart, this.messageStart);
  }

  string(type: number, value: string): void {
    const bytes = Buffer.byteLength(value, 'latin1') + 1;
    this.attribute(type, bytes);
    this.buffer.write(value, this.used, 'latin1');
    this.buffer[this.used + bytes - 1] = 0;
    this.pad(bytes);
  }

  binary(type: number, value: Uint8Array): void {
    this.attribute(type, value.length);
    this.buffer.set(value, this.used);
    this.pad(value.length);
  }

  /** The head of an attribute whose words the caller writes next with {@link word}. */
  words(type: number, count: number): void {
    this.attribute(type, 4 * count);
  }

  /** Four bytes in network byte order. */
  word(value: number): void {
    const b = this.buffer;
    b[this.used] = value >>> 24;
    b[this.used + 1] = value >>> 16;
    b[this.used + 2] = value >>> 8;
    b[this.used + 3] = value;
    this.used += 4;
  }

  u64be(type: number, value: number): void {
    this.attribute(type, 8);
    this.word(Math.floor(value / 2 ** 32));
    this.word(value >>> 0);
  }

  /** Starts a nested attribute; give the result to {@link endNest}. */
  nest(type: number): number {
    const at = this.used;
    this.attribute(type | NLA_F_NESTED, 0);
    return at;
  }

  endNest(at: number): void {
    this.buffer.writeUInt16LE(this.used - at, at);
  }

  /** True when the nested attribute begun at `at` cannot take much more (its length has 16 bits). */
  isNestFull(at: number): boolean {
    return this.used - at > ATTRIBUTE_MAX - 512;
  }

  private attribute(type: number, bytes: number): void {
    this.reserve(bytes + 8);
    const b = this.buffer;
    b[this.used] = bytes + 4;
    b[this.used + 1] = (bytes + 4) >>> 8;
    b[this.used + 2] = type;
    b[this.used + 3] = type >>> 8;
    this.used += 4;
  }

  private pad(bytes: number): void {
    const end = this.used + bytes;
    const aligned = (end + 3) & ~3;
    this.buffer.fill(0, end, aligned);
    this.used = aligned;
  }

  private reserve(bytes: number): void {
    if (this.used + bytes + 8 <= this.buffer.length) return;
    const bigger = Buffer.alloc(Math.max(this.buffer.length * 2, this.used + bytes + 8));
    this.buffer.copy(bigger, 0, 0, this.used);
    this.buffer = bigger;
  }
}

/** Splits a datagram into messages; stops at the first impossible length. */
export function* readMessages(datagram: Buffer): Generator<NetlinkMessage> {
  let at = 0;
  while (at + 16 <= datagram.length) {
    const length = datagram.readUInt32LE(at);
    if (length < 16 || at + length > datagram.length) return;
    yield {
      type: datagram.readUInt16LE(at + 4),
      flags: datagram.readUInt16LE(at + 6),
      seq: datagram.readUInt32LE(at + 8),
      portId: datagram.readUInt32LE(at + 12),
      payload: datagram.subarray(at + 16, at + length),
    };
    at += (length + 3) & ~3;
  }
}

/** Attributes from `offset` on, by type; of a repeated type the last one. */
export function readAttributes(data: Buffer, offset = 0): Map<number, Buffer> {
  const out = new Map<number, Buffer>();
  for (const [type, value] of eachAttribute(data, offset)) out.set(type, value);
  return out;
}

/** Attributes in their order, for lists. */
export function* eachAttribute(data: Buffer, offset = 0): Generator<[number, Buffer]> {
  let at = offset;
  while (at + 4 <= data.length) {
    const length = data.readUInt16LE(at);
    if (length < 4 || at + length > data.length) return;
    yield [data.readUInt16LE(at + 2) & NLA_TYPE_MASK, data.subarray(at + 4, at + length)];
    at += (length + 3) & ~3;
  }
}

export function attributeText(value: Buffer | undefined): string {
  if (!value) return '';
  const end = value.indexOf(0);
  return value.toString('latin1', 0, end < 0 ? value.length : end);
}

export function attributeU64(value: Buffer | undefined): number {
  return value && value.length >= 8 ? value.readUInt32BE(0) * 2 ** 32 + value.readUInt32BE(4) : 0;
}

/** errno of an NLMSG_ERROR message; 0 is an acknowledgement. */
export function messageErrno(message: NetlinkMessage): number {
  return message.payload.length >= 4 ? 0 - message.payload.readInt32LE(0) : 0;
}
