import type { DecodedPacket } from '../domain/packet.js';

/** Datagrams whose fragments are followed at once; a newer datagram in the same place replaces the older. */
const PLACES = 1024;
const MAX_DATAGRAM = 65_535;
const MORE_FRAGMENTS = 1;

/**
 * Counts malformed fragments of a datagram (KDD `wrong_fragment`: teardrop, ping of death): fragments that overlap an
 * earlier one, end beyond the largest datagram, or have more to follow and a length that is no multiple of 8. Ports are
 * known only after reassembly, so counts wait by address pair and go to the next packet between the two.
 */
export class FragmentCheck {
  /** True while counts wait. */
  any = false;
  private waiting = 0;
  private readonly datagram = new Uint32Array(PLACES);
  /** Bytes of the datagram seen so far, from `low` to `high`; `gap` when they are not one piece. */
  private readonly low = new Int32Array(PLACES);
  private readonly high = new Int32Array(PLACES);
  private readonly gap = new Uint8Array(PLACES);
  private readonly last = new Int32Array(PLACES);
  private readonly wrong = new Uint16Array(PLACES);
  private readonly pairs = new Uint32Array(PLACES);

  onFragment(p: DecodedPacket): void {
    const at = place(p);
    const pair = pairOf(p);
    const datagram = (p.ipId ^ (p.proto << 16)) >>> 0;
    const length = Math.max(0, p.ipLen - (p.l4Offset - p.ipOffset));
    const end = p.fragOffset + length;
    const samePair = this.pairs[at] === pair;
    if (!samePair) {
      this.waiting -= this.wrong[at]!;
      this.wrong[at] = 0;
      this.pairs[at] = pair;
    }
    const malformed = end > MAX_DATAGRAM || ((p.ipFlags & MORE_FRAGMENTS) !== 0 && length % 8 !== 0);
    let overlaps = false;
    if (samePair && this.datagram[at] === datagram) overlaps = this.extend(at, p.fragOffset, end);
    else {
      this.datagram[at] = datagram;
      this.low[at] = p.fragOffset;
      this.high[at] = end;
      this.gap[at] = 0;
    }
    this.last[at] = p.fragOffset;
    const bad = malformed || overlaps;
    if (bad) {
      this.wrong[at]! += 1;
      this.waiting++;
    }
    this.any = this.waiting > 0;
  }

  /** Adds bytes to the datagram. @returns true when they overlap; a fragment shown twice in a row does not. */
  private extend(at: number, start: number, end: number): boolean {
    if (this.last[at] === start) return false;
    const low = this.low[at]!;
    const high = this.high[at]!;
    if (start > high || end < low) this.gap[at] = 1;
    this.low[at] = Math.min(low, start);
    this.high[at] = Math.max(high, end);
    return this.gap[at] === 0 && start < high && end > low;
  }

  /** Wrong fragments since the last call between the packet's source and destination. */
  takeWrong(p: DecodedPacket): number {
    const at = place(p);
    if (this.pairs[at] !== pairOf(p)) return 0;
    const n = this.wrong[at]!;
    this.wrong[at] = 0;
    this.waiting -= n;
    this.any = this.waiting > 0;
    return n;
  }
}

function pairOf(p: DecodedPacket): number {
  const src = p.src0 ^ p.src1 ^ p.src2 ^ p.src3;
  const dst = p.dst0 ^ p.dst1 ^ p.dst2 ^ p.dst3;
  return (Math.imul(src, 0x9e3779b1) ^ Math.imul(dst, 0x85ebca6b)) >>> 0;
}

function place(p: DecodedPacket): number {
  return (pairOf(p) >>> 16) & (PLACES - 1);
}
