import type { PacketBlock } from '../../domain/packet.js';
import { LINK } from '../../domain/packet.js';

/** Deterministic stand-in for a small company's traffic: web connections of a dozen packets and DNS look-ups. */
export interface TrafficOptions {
  /** Flows under way at once. */
  concurrency: number;
  /** Bytes the frames claim on the wire beyond the header are captured too; off for tests of memory only. */
  withPayload: boolean;
  /** Distance of two packets, microseconds. */
  gapUs: number;
  startUs: number;
}

const HEADER_BYTES = 54;
const FRAME_ROOM = 1536;
/** Payload bytes of each step of a web connection; the sign is the direction, forward above zero, ACK and SYN are 0. */
const WEB_STEPS: readonly { bytes: number; flags: number; back: boolean }[] = [
  { bytes: 0, flags: 0x02, back: false },
  { bytes: 0, flags: 0x12, back: true },
  { bytes: 0, flags: 0x10, back: false },
  { bytes: 420, flags: 0x18, back: false },
  { bytes: 0, flags: 0x10, back: true },
  { bytes: 1460, flags: 0x10, back: true },
  { bytes: 1460, flags: 0x10, back: true },
  { bytes: 0, flags: 0x10, back: false },
  { bytes: 700, flags: 0x18, back: true },
  { bytes: 0, flags: 0x11, back: false },
  { bytes: 0, flags: 0x11, back: true },
  { bytes: 0, flags: 0x10, back: false },
];
const DNS_STEPS: readonly { bytes: number; flags: number; back: boolean }[] = [
  { bytes: 32, flags: 0, back: false },
  { bytes: 120, flags: 0, back: true },
];

interface Conversation {
  client: number;
  clientPort: number;
  server: number;
  isDns: boolean;
  step: number;
  seq: number;
  ack: number;
}

/** Makes packets of interleaved conversations, one after another, into a block that is filled again and again. */
export class Traffic {
  flowsStarted = 0;
  private readonly options: TrafficOptions;
  private readonly active: Conversation[] = [];
  private random = 0x9e3779b9;
  private tsUs: number;

  constructor(options: TrafficOptions) {
    this.options = options;
    this.tsUs = options.startUs;
    for (let i = 0; i < options.concurrency; i++) this.active.push(this.begin());
  }

  get nowUs(): number {
    return this.tsUs;
  }

  /** A block with room for `packets` frames, to be filled. */
  createBlock(packets: number): PacketBlock {
    const room = this.options.withPayload ? FRAME_ROOM : 64;
    const data = new Uint8Array(packets * room).fill(0x61);
    return {
      data,
      count: packets,
      offset: Int32Array.from({ length: packets }, (_, i) => i * room),
      capLen: new Int32Array(packets),
      wireLen: new Int32Array(packets),
      tsUs: new Float64Array(packets),
      linkType: LINK.ETHERNET,
      interfaceId: 0,
    };
  }

  fill(block: PacketBlock): void {
    for (let i = 0; i < block.count; i++) {
      const slot = this.next() % this.active.length;
      const conversation = this.active[slot]!;
      const bytes = this.write(block.data, block.offset[i]!, conversation);
      this.tsUs += this.options.gapUs;
      block.capLen[i] = this.options.withPayload ? bytes : Math.min(bytes, HEADER_BYTES);
      block.wireLen[i] = bytes;
      block.tsUs[i] = this.tsUs;
      const steps = conversation.isDns ? DNS_STEPS : WEB_STEPS;
      if (++conversation.step === steps.length) this.active[slot] = this.begin();
    }
  }

  private begin(): Conversation {
    const n = this.flowsStarted++;
    return {
      client: (0x0a000000 | (n % 60000)) >>> 0,
      clientPort: 1024 + ((Math.floor(n / 60000) * 7 + n) % 60000),
      server: (0xc6336400 | (this.next() % 200)) >>> 0,
      isDns: this.next() % 4 === 0,
      step: 0,
      seq: this.next(),
      ack: this.next(),
    };
  }

  /** xorshift32: the same packets on every machine. */
  private next(): number {
    let x = this.random;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.random = x;
    return x >>> 0;
  }

  /** @returns bytes of the frame. */
  private write(d: Uint8Array, at: number, c: Conversation): number {
    const { bytes, flags, back } = (c.isDns ? DNS_STEPS : WEB_STEPS)[c.step]!;
    const l4Bytes = c.isDns ? 8 : 20;
    d[at] = 2;
    d[at + 6] = 2;
    d[at + 5] = back ? 1 : 2;
    d[at + 11] = back ? 2 : 1;
    u16(d, at + 12, 0x0800);
    d[at + 14] = 0x45;
    d[at + 15] = 0;
    u16(d, at + 16, 20 + l4Bytes + bytes);
    u16(d, at + 18, c.step);
    u16(d, at + 20, 0x4000);
    d[at + 22] = 64;
    d[at + 23] = c.isDns ? 17 : 6;
    u16(d, at + 24, 0);
    u32(d, at + 26, back ? c.server : c.client);
    u32(d, at + 30, back ? c.client : c.server);
    const serverPort = c.isDns ? 53 : 443;
    u16(d, at + 34, back ? serverPort : c.clientPort);
    u16(d, at + 36, back ? c.clientPort : serverPort);
    if (c.isDns) {
      u16(d, at + 38, 8 + bytes);
      u16(d, at + 40, 0);
      return 42 + bytes;
    }
    u32(d, at + 38, back ? c.ack : c.seq);
    u32(d, at + 42, back ? c.seq : c.ack);
    d[at + 46] = 0x50;
    d[at + 47] = flags;
    u16(d, at + 48, 0xfaf0);
    u32(d, at + 50, 0);
    const advance = bytes + (flags & 3 ? 1 : 0);
    if (back) c.ack = (c.ack + advance) >>> 0;
    else c.seq = (c.seq + advance) >>> 0;
    return HEADER_BYTES + bytes;
  }
}

function u16(d: Uint8Array, at: number, value: number): void {
  d[at] = value >> 8;
  d[at + 1] = value & 255;
}

function u32(d: Uint8Array, at: number, value: number): void {
  d[at] = value >>> 24;
  d[at + 1] = (value >>> 16) & 255;
  d[at + 2] = (value >>> 8) & 255;
  d[at + 3] = value & 255;
}
