import type { Direction, FlowColumns } from '../../domain/flow.js';
import { TCP, type DecodedPacket } from '../../domain/packet.js';
import { WANTS, type Detector } from './detector.js';

const ENDS = TCP.FIN | TCP.RST;
const BITS = 2;
const MASK = 3;

/**
 * Hands the packets of TCP flows to the detectors that still want them. What each wants is two bits of one byte a flow,
 * so that a packet of a flow that nobody is interested in any more costs a look at one byte.
 */
export class TcpWatch {
  private readonly detectors: readonly Detector[];
  private readonly atFirst: number;
  private wanted = new Uint8Array(0);

  constructor(detectors: readonly Detector[]) {
    if (detectors.length > 8 / BITS) throw new Error('a byte holds the wants of four detectors');
    this.detectors = detectors;
    this.atFirst = detectors.reduce((all, _, i) => all | (WANTS.DATA << (BITS * i)), 0);
  }

  onPacket(p: DecodedPacket, flows: FlowColumns, slot: number, direction: Direction, isNew: boolean): void {
    if (isNew) this.open(flows, slot);
    let wanted = this.wanted[slot]!;
    if (wanted === 0) return;
    const least = needOf(p, direction);
    if (least > WANTS.ALL) return;
    for (let i = 0; i < this.detectors.length; i++) {
      const shift = BITS * i;
      const before = (wanted >> shift) & MASK;
      if (before < least) continue;
      const after = this.detectors[i]!.onTcp!(p, flows, slot, direction);
      if (after === before) continue;
      wanted = (wanted & ~(MASK << shift)) | (after << shift);
      this.wanted[slot] = wanted;
    }
  }

  private open(flows: FlowColumns, slot: number): void {
    if (slot >= this.wanted.length) {
      const bigger = new Uint8Array(flows.capacity);
      bigger.set(this.wanted);
      this.wanted = bigger;
    }
    this.wanted[slot] = this.atFirst;
    for (const d of this.detectors) d.onTcpOpen?.(flows, slot);
  }
}

/** The least a detector must want to be shown the packet; above ALL when nobody is. */
function needOf(p: DecodedPacket, direction: Direction): number {
  if ((p.tcpFlags & ENDS) !== 0) return WANTS.END;
  if (p.payloadLen > 0) return WANTS.DATA;
  return direction === 0 && (p.tcpFlags & TCP.SYN) === 0 ? WANTS.ALL : WANTS.ALL + 1;
}
