import { createBlock, type ReusableBlock } from '../block.js';
import { BLOCK, PACKET, TP_STATUS_USER, TP_STATUS_VLAN_VALID } from './constants.js';
import type { Ring } from './ring.js';

/** Smallest distance of two packets in a ring block: the 48-byte header and the link address, aligned. */
const MIN_PACKET_BYTES = 80;
/** Where the bytes of a frame are that every packet is decoded from: the IP header's begin, the TCP header's end. */
const IP_AT = 14;
const L4_END = 53;

/**
 * Reads the blocks of a ring in order. A block is described in place (no byte is copied), handed over, and given
 * back to the kernel when the consumer is done with it.
 */
export class RingWalker {
  packets = 0;
  bytes = 0;
  private readonly words: Int32Array;
  private readonly halves: Uint16Array;
  private readonly block: ReusableBlock;
  private readonly blockWords: number;
  private readonly blocks: number;
  private next = 0;
  /** Packets of the block at `next` that were handed over while it was open, and where the one after them is, in words. */
  private taken = 0;
  private at = 0;
  /** Per block: 1 when it holds nothing of an earlier round. */
  private readonly isClean: Uint8Array;
  /** What was read ahead; kept, or the compiler would leave the reading out. */
  ahead = 0;

  constructor(ring: Pick<Ring, 'memory' | 'blockBytes' | 'blocks' | 'linkType'>, interfaceId: number) {
    this.words = new Int32Array(ring.memory);
    this.halves = new Uint16Array(ring.memory);
    this.blockWords = ring.blockBytes >> 2;
    this.blocks = ring.blocks;
    // Memory fresh from the kernel is zero.
    this.isClean = new Uint8Array(ring.blocks).fill(1);
    this.block = createBlock(Math.ceil(ring.blockBytes / MIN_PACKET_BYTES), true);
    this.block.data = new Uint8Array(ring.memory);
    this.block.linkType = ring.linkType;
    this.block.interfaceId = interfaceId;
  }

  /**
   * Hands over at most `limit` blocks that the kernel has closed.
   * @param clean blocks are cleaned before they are given back, which {@link takeOpen} needs to look into them.
   * @returns true when the limit was reached and more may be waiting.
   */
  drain(limit: number, onBlock: (block: ReusableBlock) => void, clean = false): boolean {
    for (let n = 0; n < limit; n++) {
      const base = this.next * this.blockWords;
      const status = base + (BLOCK.STATUS >> 2);
      // Atomic access orders it against the packets' bytes on every processor.
      if ((Atomics.load(this.words, status) & TP_STATUS_USER) === 0) return false;
      this.describe(this.first(base), this.words[base + (BLOCK.PACKETS >> 2)]! - this.taken);
      try {
        if (this.block.count > 0) onBlock(this.block);
      } finally {
        if (clean) this.clean(base);
        this.isClean[this.next] = clean ? 1 : 0;
        Atomics.store(this.words, status, 0);
        this.taken = 0;
        this.next = this.next + 1 === this.blocks ? 0 : this.next + 1;
      }
    }
    return true;
  }

  /**
   * Hands over what is complete of the block that the kernel is filling. Its place in the ring stays: what follows in the
   * block comes next, and the block is given back when it is closed.
   */
  takeOpen(onBlock: (block: ReusableBlock) => void): void {
    if (this.isClean[this.next] === 0) return;
    const { words } = this;
    const base = this.next * this.blockWords;
    const first = this.first(base);
    let at = first;
    let count = 0;
    while (this.taken + count < Atomics.load(words, base + (BLOCK.PACKETS >> 2)) && this.isComplete(at)) {
      at += words[at + (PACKET.NEXT >> 2)]! >> 2;
      count++;
    }
    if (count === 0) return;
    this.describe(first, count);
    this.taken += count;
    onBlock(this.block);
  }

  /**
   * The kernel copies the packet, then writes its header (net/packet/af_packet.c, tpacket_rcv), in no order that it
   * promises: in a clean block each field counts as written when it is no longer zero.
   */
  private isComplete(at: number): boolean {
    const { words } = this;
    return (
      Atomics.load(words, at + (PACKET.NSEC >> 2)) !== 0 &&
      words[at + (PACKET.SEC >> 2)] !== 0 &&
      words[at + (PACKET.SNAPLEN >> 2)] !== 0 &&
      words[at + (PACKET.LEN >> 2)] !== 0 &&
      this.halves[(at << 1) + (PACKET.MAC >> 1)] !== 0 &&
      (words[at + (PACKET.STATUS >> 2)]! & TP_STATUS_USER) !== 0
    );
  }

  /** What was used of the block since it was clean, or all of it. */
  private clean(base: number): void {
    const { words } = this;
    const used = this.isClean[this.next] === 1 ? words[base + (BLOCK.LENGTH >> 2)]! >> 2 : this.blockWords;
    words.fill(0, base + (words[base + (BLOCK.FIRST >> 2)]! >> 2), base + Math.min(used, this.blockWords));
    words[base + (BLOCK.PACKETS >> 2)] = 0;
  }

  /** Where the first packet of the block is that was not handed over yet, in words. */
  private first(base: number): number {
    return this.taken > 0 ? this.at : base + (this.words[base + (BLOCK.FIRST >> 2)]! >> 2);
  }

  private describe(first: number, packets: number): void {
    const { words, halves, block } = this;
    const lastWord = words.length - 1;
    const { offset, capLen, wireLen, tsUs } = block;
    const vlanTci = block.vlanTci!;
    const count = Math.min(packets, block.room);
    let at = first;
    let bytes = 0;
    let ahead = 0;
    for (let i = 0; i < count; i++) {
      const length = words[at + (PACKET.LEN >> 2)]!;
      const frame = (at << 2) + halves[(at << 1) + (PACKET.MAC >> 1)]!;
      offset[i] = frame;
      // The processor fetches these lines for many packets at once; one by one, the decoder would wait for each.
      ahead ^= words[(frame + IP_AT) >> 2]! ^ words[Math.min(lastWord, (frame + L4_END) >> 2)]!;
      capLen[i] = words[at + (PACKET.SNAPLEN >> 2)]!;
      wireLen[i] = length;
      tsUs[i] = (words[at + (PACKET.SEC >> 2)]! >>> 0) * 1e6 + words[at + (PACKET.NSEC >> 2)]! / 1000;
      const tagged = (words[at + (PACKET.STATUS >> 2)]! & TP_STATUS_VLAN_VALID) !== 0;
      vlanTci[i] = tagged ? words[at + (PACKET.VLAN_TCI >> 2)]! & 0xffff : -1;
      bytes += length;
      at += words[at + (PACKET.NEXT >> 2)]! >> 2;
    }
    this.ahead = ahead;
    this.at = at;
    block.count = count;
    this.packets += count;
    this.bytes += bytes;
  }
}
