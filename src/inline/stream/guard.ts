import type { Direction } from '../../domain/flow.js';
import { TCP, type DecodedPacket } from '../../domain/packet.js';
import { KeptBytes, KeptMemory } from './kept.js';

/** What is to be done with a segment. */
export const STEP = {
  /** It has the next bytes (or none): judge it now, then call `judged`. */
  INSPECT: 0,
  /** Sent again as it was, or already acknowledged: it may pass unjudged. */
  PASS: 1,
  /** Bytes before it are missing: call `hold`. */
  AHEAD: 2,
  /** It differs from what was judged or is held: whoever gets both could read something else than we did. */
  CONFLICT: 3,
  /** Its connection began before we watched: call `adopt` to judge it from here on. */
  MIDSTREAM: 4,
  /** Sent again, not acknowledged, and no longer kept: nobody can say whether it is what was judged. */
  UNKNOWN: 5,
} as const;
export type Step = (typeof STEP)[keyof typeof STEP];

/** A segment whose predecessors are missing, as a copy. */
export interface HeldSegment {
  /** Id of the packet that waits in the kernel; -1 when it has been let go and only the copy is kept. */
  queueId: number;
  mark: number;
  heldMs: number;
  position: number;
  length: number;
  /** The whole IP packet. */
  packet: Uint8Array;
  /** Where its payload begins in `packet`. */
  payloadAt: number;
}

class Half {
  /** Position and sequence number of the next byte to judge. */
  position = 0;
  next = 0;
  isKnown = false;
  /** The receiver has acknowledged everything before this position. */
  acknowledged = 0;
  /** Position of the FIN, or -1. */
  finAt = -1;
  /** The receiver has been told that the connection is over. */
  isReset = false;
  readonly kept = new KeptBytes();
  /** By position. */
  readonly held: HeldSegment[] = [];

  positionOf(sequence: number): number {
    return this.position + ((sequence - this.next) | 0);
  }

  start(sequence: number): void {
    this.isKnown = true;
    this.next = sequence >>> 0;
    this.finAt = -1;
    this.isReset = false;
    this.kept.start = this.kept.end = this.acknowledged = this.position;
  }
}

export interface GuardLimits {
  /** Bytes kept of one direction. */
  flowBytes: number;
  totalBytes: number;
}

/**
 * Keeps the judge and the receiver of a TCP connection from reading different things: bytes are judged in order before
 * the receiver can use them, what is sent again must equal what was judged, and what overlaps differently is refused.
 */
export class StreamGuard {
  readonly counts = { conflicts: 0, retransmissions: 0, held: 0, unverified: 0, resynchronised: 0 };
  /** Directions that wait for missing bytes. */
  readonly waiting = new Set<number>();
  private readonly limits: GuardLimits;
  private readonly memory: KeptMemory;
  private readonly halves: (Half | undefined)[] = [];

  constructor(limits: GuardLimits) {
    this.limits = limits;
    this.memory = new KeptMemory(limits.totalBytes);
  }

  /** True when there is no room for so many more bytes of any connection. */
  isFull(bytes: number): boolean {
    return this.memory.used + bytes > this.memory.max;
  }

  get memoryBytes(): number {
    return this.memory.used;
  }

  /** Looks at a TCP packet before it is judged. */
  look(p: DecodedPacket, slot: number, direction: Direction): Step {
    const own = this.half(slot, direction);
    if (p.tcpFlags & TCP.ACK) this.acknowledge(this.halves[2 * slot + (direction ^ 1)], p.ack);
    if (p.tcpFlags & TCP.SYN) {
      const first = (p.seq + 1) >>> 0;
      if (!own.isKnown || (own.position === 0 && own.held.length === 0)) own.start(first);
    }
    if (p.tcpFlags & TCP.RST) return this.lookAtReset(own, p);
    if (p.payloadLen === 0) {
      if (p.tcpFlags & TCP.FIN && own.isKnown && own.finAt < 0) own.finAt = own.positionOf(p.seq);
      return STEP.INSPECT;
    }
    if (!own.isKnown) return STEP.MIDSTREAM;
    const at = own.positionOf(p.seq) + (p.tcpFlags & TCP.SYN ? 1 : 0);
    const end = at + p.payloadLen;
    if (own.isReset || (own.finAt >= 0 && end > own.finAt) || this.conflicts(own, p, at)) {
      this.counts.conflicts++;
      return STEP.CONFLICT;
    }
    if (Math.max(at, own.acknowledged) < Math.min(end, own.kept.start)) return STEP.UNKNOWN;
    if (p.tcpFlags & TCP.FIN) own.finAt = end;
    if (at > own.position) {
      // It equals what is held: one copy is enough.
      if (!own.held.some((h) => h.position <= at && end <= h.position + h.length)) return STEP.AHEAD;
    } else if (end > own.position) return STEP.INSPECT;
    this.counts.retransmissions++;
    return STEP.PASS;
  }

  /** Begins to follow a direction at this packet. */
  adopt(p: DecodedPacket, slot: number, direction: Direction): void {
    this.half(slot, direction).start(p.seq);
  }

  /** The packet was judged and may go: its new bytes are kept until they are acknowledged. */
  judged(p: DecodedPacket, slot: number, direction: Direction): void {
    if (p.payloadLen === 0) return;
    const own = this.half(slot, direction);
    const at = own.positionOf(p.seq) + (p.tcpFlags & TCP.SYN ? 1 : 0);
    const skip = own.position - at;
    const length = p.payloadLen - skip;
    if (skip < 0 || length <= 0) return;
    if (!own.kept.add(p.data, p.payloadOffset + skip, length, this.memory, this.limits.flowBytes)) {
      this.counts.unverified++;
    }
    own.position += length;
    own.next = (own.next + length) >>> 0;
  }

  /**
   * Keeps a copy of a segment that is ahead.
   * @returns undefined when its connection may keep no more, or nobody may: see {@link isFull}.
   */
  hold(
    p: DecodedPacket,
    slot: number,
    direction: Direction,
    kernel: { queueId: number; mark: number; nowMs: number },
  ): HeldSegment | undefined {
    const own = this.half(slot, direction);
    const bytes = own.held.reduce((sum, h) => sum + h.packet.length, 0) + p.ipLen;
    if (bytes > this.limits.flowBytes || !this.memory.take(p.ipLen)) return undefined;
    const segment: HeldSegment = {
      queueId: kernel.queueId,
      mark: kernel.mark,
      heldMs: kernel.nowMs,
      position: own.positionOf(p.seq),
      length: p.payloadLen,
      // A Buffer's own `slice` would be a view of memory that the next packets overwrite.
      packet: new Uint8Array(p.data.subarray(p.ipOffset, p.ipOffset + p.ipLen)),
      payloadAt: p.payloadOffset - p.ipOffset,
    };
    let i = own.held.length;
    while (i > 0 && own.held[i - 1]!.position > segment.position) i--;
    own.held.splice(i, 0, segment);
    this.counts.held++;
    this.waiting.add(2 * slot + direction);
    return segment;
  }

  /** The first held segment whose predecessors have all been judged, taken out; undefined when there is none. */
  takeReady(slot: number, direction: Direction): HeldSegment | undefined {
    const own = this.halves[2 * slot + direction];
    const first = own?.held[0];
    if (own === undefined || first === undefined || first.position > own.position) return undefined;
    own.held.shift();
    this.memory.give(first.packet.length);
    if (own.held.length === 0) this.waiting.delete(2 * slot + direction);
    return first;
  }

  /** Held segments of a direction, oldest position first. */
  heldOf(key: number): readonly HeldSegment[] {
    return this.halves[key]?.held ?? [];
  }

  /** Sequence number of the next byte of a direction that nobody has judged: where a reset is believed. */
  nextOf(slot: number, direction: Direction): number | undefined {
    const half = this.halves[2 * slot + direction];
    return half?.isKnown ? half.next : undefined;
  }

  /** Forgets one direction. @returns what was held of it. */
  forget(slot: number, direction: Direction): HeldSegment[] {
    const key = 2 * slot + direction;
    const half = this.halves[key];
    if (half === undefined) return [];
    half.kept.clear(this.memory);
    for (const { packet } of half.held) this.memory.give(packet.length);
    this.waiting.delete(key);
    this.halves[key] = undefined;
    return half.held;
  }

  /**
   * A reset counts exactly where the receiver expects the next byte, elsewhere receivers answer with a question (RFC 5961
   * 3.2) and go on: such a reset must not make us believe that it is over.
   */
  private lookAtReset(own: Half, p: DecodedPacket): Step {
    if (!own.isKnown || p.seq >>> 0 === own.next || p.tcpFlags & TCP.SYN) {
      own.isReset = own.isKnown;
      return STEP.INSPECT;
    }
    if (own.finAt >= 0 && own.positionOf(p.seq) === own.finAt + 1) return STEP.INSPECT;
    this.counts.conflicts++;
    return STEP.CONFLICT;
  }

  private half(slot: number, direction: Direction): Half {
    return (this.halves[2 * slot + direction] ??= new Half());
  }

  private acknowledge(peer: Half | undefined, ack: number): void {
    if (!peer?.isKnown) return;
    const position = peer.positionOf(ack);
    // One more for a FIN.
    const seen = peer.held.reduce((end, h) => Math.max(end, h.position + h.length), peer.position) + 1;
    if (position > seen) {
      // The receiver has bytes that did not come by us: the connection went on while nobody judged it.
      peer.isKnown = false;
      this.counts.resynchronised++;
      return;
    }
    const to = Math.min(position, peer.position);
    peer.acknowledged = Math.max(peer.acknowledged, to);
    peer.kept.forgetBefore(to);
  }

  private conflicts(own: Half, p: DecodedPacket, at: number): boolean {
    if (at < own.position && own.kept.differs(p.data, p.payloadOffset, p.payloadLen, at)) return true;
    for (const held of own.held) {
      const from = Math.max(at, held.position);
      const to = Math.min(at + p.payloadLen, held.position + held.length);
      for (let q = from; q < to; q++)
        if (held.packet[held.payloadAt + q - held.position] !== p.data[p.payloadOffset + q - at]) return true;
    }
    return false;
  }
}
