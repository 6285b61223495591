/** Numbers of nfnetlink_queue (include/uapi/linux/netfilter/nfnetlink_queue.h). */
const SUBSYSTEM = 3 << 8;
export const NFQNL = {
  PACKET: SUBSYSTEM,
  VERDICT: SUBSYSTEM | 1,
  CONFIG: SUBSYSTEM | 2,
  VERDICT_BATCH: SUBSYSTEM | 3,
} as const;

export const NFQA = {
  PACKET_HDR: 1,
  VERDICT_HDR: 2,
  MARK: 3,
  TIMESTAMP: 4,
  PAYLOAD: 10,
  CAP_LEN: 13,
  SKB_INFO: 14,
} as const;

export const CFG = { CMD: 1, PARAMS: 2, QUEUE_MAXLEN: 3, MASK: 4, FLAGS: 5 } as const;
export const CFG_CMD_BIND = 1;
export const COPY_PACKET = 2;
export const CFG_F_FAIL_OPEN = 1;
export const CFG_F_GSO = 4;

/** Verdicts of netfilter (include/uapi/linux/netfilter.h). */
export const NF_DROP = 0;
export const NF_ACCEPT = 1;

const SKB_CSUM_NOTVERIFIED = 4;
const NLM_F_REQUEST = 1;
const HEADER_BYTES = 20;
const ATTRIBUTE_MASK = 0x3fff;

/** One packet of a queue as the kernel hands it over; one instance is overwritten for each packet. */
export class QueuedPacket {
  id = 0;
  /** Mark of the packet. */
  mark = 0;
  /** When the kernel received it, microseconds since the epoch; 0 when it did not say. */
  receivedUs = 0;
  /** Nobody has looked at its checksum yet. */
  isUnverified = false;
  /** Netfilter hook: 1 input, 2 forward, 3 output. */
  hook = 0;
  /** The IP packet: `data[offset .. offset + length]`. */
  data: Uint8Array = new Uint8Array(0);
  offset = 0;
  length = 0;
  /** Bytes of the packet, more than `length` when it was cut to the copy range. */
  fullLength = 0;
}

/**
 * Reads one message of the queue into `packet`.
 * @returns 0 for a packet, the errno of an error message, or -1 for anything else.
 */
export function readPacket(buffer: Buffer, start: number, end: number, packet: QueuedPacket): number {
  if (end - start < HEADER_BYTES) return -1;
  const type = buffer.readUInt16LE(start + 4);
  // An acknowledgement is an error message without an error.
  if (type === 2) return 0 - buffer.readInt32LE(start + 16) || -1;
  if (type !== NFQNL.PACKET) return -1;
  packet.mark = 0;
  packet.receivedUs = 0;
  packet.isUnverified = false;
  packet.length = 0;
  packet.fullLength = 0;
  let isComplete = false;
  for (let at = start + HEADER_BYTES; at + 4 <= end;) {
    const size = buffer.readUInt16LE(at);
    if (size < 4 || at + size > end) return -1;
    switch (buffer.readUInt16LE(at + 2) & ATTRIBUTE_MASK) {
      case NFQA.PACKET_HDR:
        packet.id = buffer.readUInt32BE(at + 4);
        packet.hook = buffer[at + 10]!;
        isComplete = true;
        break;
      case NFQA.MARK:
        packet.mark = buffer.readUInt32BE(at + 4);
        break;
      case NFQA.TIMESTAMP:
        packet.receivedUs = (buffer.readUInt32BE(at + 4) * 2 ** 32 + buffer.readUInt32BE(at + 8)) * 1e6;
        packet.receivedUs += buffer.readUInt32BE(at + 16);
        break;
      case NFQA.PAYLOAD:
        packet.data = buffer;
        packet.offset = at + 4;
        packet.length = size - 4;
        break;
      case NFQA.SKB_INFO:
        packet.isUnverified = (buffer.readUInt32BE(at + 4) & SKB_CSUM_NOTVERIFIED) !== 0;
        break;
      case NFQA.CAP_LEN:
        packet.fullLength = buffer.readUInt32BE(at + 4);
        break;
    }
    at += (size + 3) & ~3;
  }
  if (packet.fullLength < packet.length) packet.fullLength = packet.length;
  return isComplete ? 0 : -1;
}

/** Writes verdicts one after the other, to be sent with one system call. */
export class VerdictWriter {
  private buffer = Buffer.alloc(64 * 1024);
  private used = 0;
  private readonly queue: number;

  constructor(queue: number) {
    this.queue = queue;
  }

  get isEmpty(): boolean {
    return this.used === 0;
  }

  /** The verdicts are the first `length` bytes of it. */
  get bytes(): Buffer {
    return this.buffer;
  }

  get length(): number {
    return this.used;
  }

  reset(): void {
    this.used = 0;
  }

  /** @param upTo the verdict is for every waiting packet up to this id. @param mark new mark of the packet, or -1. */
  write(id: number, verdict: number, mark: number, upTo = false): void {
    const size = mark < 0 ? 32 : 40;
    if (this.used + size > this.buffer.length) {
      const larger = Buffer.alloc(this.buffer.length * 2);
      this.buffer.copy(larger, 0, 0, this.used);
      this.buffer = larger;
    }
    const b = this.buffer;
    const at = this.used;
    b.writeUInt32LE(size, at);
    b.writeUInt16LE(upTo ? NFQNL.VERDICT_BATCH : NFQNL.VERDICT, at + 4);
    b.writeUInt16LE(NLM_F_REQUEST, at + 6);
    b.writeUInt32LE(0, at + 8);
    b.writeUInt32LE(0, at + 12);
    b.writeUInt16BE(0, at + 16);
    b.writeUInt16BE(this.queue, at + 18);
    b.writeUInt16LE(12, at + 20);
    b.writeUInt16LE(NFQA.VERDICT_HDR, at + 22);
    b.writeUInt32BE(verdict, at + 24);
    b.writeUInt32BE(id, at + 28);
    if (mark >= 0) {
      b.writeUInt16LE(8, at + 32);
      b.writeUInt16LE(NFQA.MARK, at + 34);
      b.writeUInt32BE(mark >>> 0, at + 36);
    }
    this.used += size;
  }
}
