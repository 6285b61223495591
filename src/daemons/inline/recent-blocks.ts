import type { DecodedPacket } from '../../domain/packet.js';
import { cidrContains, parseCidr, type Cidr } from '../../util/ip.js';

/** A decision is in the kernel by then, milliseconds. */
const BLOCK_MS = 5000;
const MAX_BLOCKS = 1000;

/** Blocks that were decided just now: packets that are queued already have passed the place where the kernel stops them. */
export class RecentBlocks {
  private blocks: { network: Cidr; untilMs: number }[] = [];

  /** @param value address or prefix; anything else, and what is too much, is left to the kernel alone. */
  add(value: string, nowMs: number): void {
    const network = parseCidr(value);
    if (network && this.blocks.length < MAX_BLOCKS) this.blocks.push({ network, untilMs: nowMs + BLOCK_MS });
  }

  forgetOld(nowMs: number): void {
    if (this.blocks.length > 0) this.blocks = this.blocks.filter((b) => b.untilMs > nowMs);
  }

  /** True when the packet's source is blocked. */
  has(p: DecodedPacket): boolean {
    if (this.blocks.length === 0) return false;
    const version = p.ipVersion === 4 ? 4 : 6;
    const ip = { version, words: [p.src0 >>> 0, p.src1 >>> 0, p.src2 >>> 0, p.src3 >>> 0] } as const;
    return this.blocks.some(({ network }) => network.version === version && cidrContains(network, ip));
  }
}
