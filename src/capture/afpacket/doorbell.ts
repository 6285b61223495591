import type { AfpacketOptions } from '../options.js';
import * as C from './constants.js';
import { ints, openPacketSocket, type PacketSocket } from './packet-socket.js';

/** Of memory: 256 packets that have rung and were not answered, 32 KiB. */
const FRAME_BYTES = 128;
const FRAMES_PER_BLOCK = 32;
const BLOCKS = 8;
const FRAMES = FRAMES_PER_BLOCK * BLOCKS;
const FRAME_WORDS = FRAME_BYTES >> 2;
/** What the doorbell's socket keeps of a packet. */
const ONE_BYTE = 1;
const NOTHING = 0;
/** Time over which packets are counted, milliseconds: a quarter of a second's packets may ring in one burst. */
const WINDOW_MS = 250;

/** What a ring and its doorbell are opened with. */
type Options = Pick<AfpacketOptions, 'interface' | 'wakeEachBelowPps'>;

/**
 * A second packet socket on a ring's interface that wakes the sensor at each packet while few arrive. The ring itself does
 * so only when a block of it is closed, a millisecond later or more. No packet is read from here: it is in the ring, which
 * the kernel serves first. A packet that finds the doorbell's memory full does not ring, and comes with its block.
 */
export class Doorbell {
  readonly fd: number;
  private readonly socket: PacketSocket;
  /** Frames of TPACKET_V2, each of which begins with its status. */
  private readonly words: Int32Array;
  private readonly limit: number;
  private next = 0;
  private isSilent = false;
  private windowMs = 0;
  private windowPackets = 0;

  /** To be opened before its ring is bound. @throws AppError capture.no_rights, capture.failed */
  constructor(options: Options, ifIndex: number, linkType: number) {
    this.limit = options.wakeEachBelowPps;
    this.socket = openPacketSocket(options.interface, linkType);
    this.fd = this.socket.fd;
    try {
      this.words = this.prepare(options.interface);
      this.socket.bindTo(ifIndex);
    } catch (error) {
      this.socket.close();
      throw error;
    }
  }

  /**
   * Makes the doorbell ready for the next packet.
   * @param packets that were read from the ring in all; above the limit the doorbell is silent until they are fewer than
   * half of it.
   * @returns true while it rings.
   */
  answer(packets: number): boolean {
    for (let n = 0; n < FRAMES; n++) {
      const status = this.next * FRAME_WORDS;
      if ((Atomics.load(this.words, status) & C.TP_STATUS_USER) === 0) break;
      Atomics.store(this.words, status, 0);
      this.next = this.next + 1 === FRAMES ? 0 : this.next + 1;
    }
    this.limitRate(packets, performance.now());
    return !this.isSilent;
  }

  close(): void {
    this.socket.close();
  }

  private prepare(name: string): Int32Array {
    const { socket } = this;
    socket.setPacketOption('PACKET_VERSION', ints(C.TPACKET_V2));
    socket.limitTo(ONE_BYTE);
    socket.setPacketOption('PACKET_RX_RING', ints(FRAMES_PER_BLOCK * FRAME_BYTES, BLOCKS, FRAME_BYTES, FRAMES));
    if (name === 'lo') socket.setPacketOption('PACKET_IGNORE_OUTGOING', ints(1));
    return new Int32Array(socket.map(FRAMES * FRAME_BYTES));
  }

  private limitRate(packets: number, nowMs: number): void {
    const inWindow = packets - this.windowPackets;
    const elapsedMs = nowMs - this.windowMs;
    if (!this.isSilent && inWindow * 1000 > this.limit * WINDOW_MS) this.silence(true);
    else if (elapsedMs < WINDOW_MS) return;
    else if (this.isSilent && inWindow * 2000 < this.limit * elapsedMs) this.silence(false);
    this.windowMs = nowMs;
    this.windowPackets = packets;
  }

  private silence(isSilent: boolean): void {
    this.isSilent = isSilent;
    this.socket.limitTo(isSilent ? NOTHING : ONE_BYTE);
  }
}
