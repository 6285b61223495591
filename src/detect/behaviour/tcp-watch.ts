import type { Direction, FlowColumns } from '../../domain/flow.js';
import { TCP, type DecodedPacket } from '../../domain/packet.js';
import { WANTS, type Detector } from './detector.js';

const BITS = 4;
const MASK = 15;
/** Both detectors' bits of one kind. */
const BOTH = 0x11;

/**
 * Hands the packets of TCP flows to the detectors that want them. What each wants is four bits of one byte a flow, so that a
 * packet that nobody is interested in costs a look at one byte.
 */
export class TcpWatch {
  private readonly detectors: readonly Detector[];
  private wanted = new Uint8Array(0);

  /** @param detectors at most two, each with `onTcpOpen` and `onTcp`. */
  constructor(detectors: readonly Detector[]) {
    if (detectors.length > 8 / BITS) throw new Error('a byte holds the wants of two detectors');
    this.detectors = detectors;
  }

  onPacket(p: DecodedPacket, flows: FlowColumns, slot: number, direction: Direction, isNew: boolean): void {
    if (isNew) this.open(flows, slot);
    const wanted = this.wanted[slot]!;
    if (wanted === 0) return;
    const kinds = wanted & (kindsOf(p, direction) * BOTH);
    if (kinds !== 0) this.show(kinds, p, flows, slot, direction);
  }

  private show(kinds: number, p: DecodedPacket, flows: FlowColumns, slot: number, direction: Direction): void {
    for (let i = 0; i < this.detectors.length; i++) {
      const shift = BITS * i;
      if (((kinds >> shift) & MASK) === 0) continue;
      const after = this.detectors[i]!.onTcp!(p, flows, slot, direction);
      this.wanted[slot] = (this.wanted[slot]! & ~(MASK << shift)) | (after << shift);
    }
  }

  private open(flows: FlowColumns, slot: number): void {
    if (slot >= this.wanted.length) {
      const bigger = new Uint8Array(flows.capacity);
      bigger.set(this.wanted);
      this.wanted = bigger;
    }
    let wanted = 0;
    for (let i = 0; i < this.detectors.length; i++) {
      wanted |= this.detectors[i]!.onTcpOpen!(flows, slot) << (BITS * i);
    }
    this.wanted[slot] = wanted;
  }
}

/** What the packet is, as bits of WANTS. */
function kindsOf(p: DecodedPacket, direction: Direction): number {
  const end = (p.tcpFlags & (TCP.FIN | TCP.RST)) !== 0 ? WANTS.END : WANTS.NOTHING;
  if (p.payloadLen > 0) return end | (direction === 0 ? WANTS.CLIENT : WANTS.SERVER);
  if (end !== WANTS.NOTHING || direction === 1 || (p.tcpFlags & TCP.SYN) !== 0) return end;
  return WANTS.ACKS;
}
