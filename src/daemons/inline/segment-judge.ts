import type { Direction, FlowEndReason } from '../../domain/flow.js';
import { DecodedPacket } from '../../domain/packet.js';
import type { FlowTable } from '../../flow/index.js';
import {
  NF_ACCEPT,
  NF_DROP,
  STEP,
  type HeldSegment,
  type InlineOptions,
  type QueuedPacket,
  type StreamGuard,
} from '../../inline/index.js';
import type { InspectorCounts } from './counts.js';
import type { FlowRuling } from './flow-ruling.js';
import type { InspectorDeps } from './inspector-deps.js';
import type { PacketJudge } from './packet-judge.js';
import type { RawDecoder } from './raw-decoder.js';

interface SegmentJudgeParts {
  counts: InspectorCounts;
  guard: StreamGuard;
  flows: FlowTable;
  decoder: RawDecoder;
  judge: PacketJudge;
}

/** Judges the segments of TCP connections in the order of their bytes; what is ahead waits for what is missing. */
export class SegmentJudge {
  private readonly options: InlineOptions;
  private readonly deps: InspectorDeps;
  private readonly counts: InspectorCounts;
  private readonly guard: StreamGuard;
  private readonly flows: FlowTable;
  private readonly decoder: RawDecoder;
  private readonly judge: PacketJudge;
  private readonly heldPacket = new DecodedPacket();

  constructor(options: InlineOptions, deps: InspectorDeps, parts: SegmentJudgeParts) {
    this.options = options;
    this.deps = deps;
    this.counts = parts.counts;
    this.guard = parts.guard;
    this.flows = parts.flows;
    this.decoder = parts.decoder;
    this.judge = parts.judge;
  }

  onSegment(q: QueuedPacket, p: DecodedPacket, slot: number, direction: Direction, flow: FlowRuling): void {
    const { guard, flows, judge } = this;
    const { verdicts } = judge;
    let step = guard.look(p, slot, direction);
    if (step === STEP.PASS) return judge.accept(q.id, q.mark, flow, direction);
    if (step === STEP.CONFLICT) return verdicts.refuse(q, p, 'Segment differs from what was judged before', 'medium');
    if (step === STEP.UNKNOWN) return verdicts.exception(q, 'memory', p);
    if (step === STEP.MIDSTREAM) {
      this.counts.exception_midstream++;
      if (this.options.exceptions.midstream === 'drop' && !verdicts.isObserving)
        return verdicts.refuse(q, p, 'exception: midstream');
      guard.adopt(p, slot, direction);
      step = STEP.INSPECT;
    }
    if (step === STEP.AHEAD) return this.hold(q, p, slot, direction, flow);
    judge.inspect(p, slot, direction, flows.isNew);
    const hit = judge.findings.take();
    if (hit && judge.obey(hit, q, p, slot, direction, flow)) return;
    if (judge.observer?.isValid === false) return verdicts.invalid(q, p, 'Segment that the receiver would ignore');
    const next = guard.nextOf(slot, direction);
    guard.judged(p, slot, direction);
    flow.judged[direction]! += p.payloadLen;
    if (!this.judgeReady(q, p, slot, direction, flow, next)) return;
    judge.accept(q.id, q.mark, flow, direction, slot);
  }

  /**
   * Segments that were let go ahead of a missing one are judged when it comes. When the connection is forgotten before, the
   * missing one would pass alone and complete what nobody has read: the receiver is told that it is over.
   */
  onEnd(slot: number, direction: Direction, reason: FlowEndReason): void {
    const next = this.guard.nextOf(slot, direction);
    const all = this.guard.forget(slot, direction);
    const isLeft = reason === 'idle' || reason === 'evicted';
    const { held, verdicts, answers } = this.judge;
    for (const one of all) held.release(one, isLeft ? NF_DROP : NF_ACCEPT);
    const [first] = all;
    if (!isLeft || first === undefined || verdicts.isObserving || !this.options.resets) return;
    this.counts.holes_cut++;
    this.decoder.decode(first.packet, 0, first.packet.length, first.packet.length, this.heldPacket);
    answers.resetVictim(this.heldPacket, next);
  }

  /**
   * Judges what was waiting for the segment at hand. Some of it may have been let go already and becomes readable with that
   * segment, so the segment passes only when all of it may.
   */
  private judgeReady(
    q: QueuedPacket,
    p: DecodedPacket,
    slot: number,
    direction: Direction,
    flow: FlowRuling,
    next: number | undefined,
  ): boolean {
    const { guard, judge } = this;
    let ready: HeldSegment[] | undefined;
    for (let held = guard.takeReady(slot, direction); held; held = guard.takeReady(slot, direction)) {
      (ready ??= []).push(held);
      const late = this.heldPacket;
      this.decoder.decode(held.packet, 0, held.packet.length, held.packet.length, late);
      // Its timestamp was fresh when it came, before the one that was missing was sent again.
      late.tcpOptionsLen = 0;
      judge.inspect(late, slot, direction, false);
      const hit = judge.findings.take();
      if (hit && judge.obey(hit, q, p, slot, direction, flow, next)) {
        for (const one of ready) judge.held.release(one, NF_DROP);
        return false;
      }
      guard.judged(late, slot, direction);
      flow.judged[direction]! += late.payloadLen;
    }
    for (const one of ready ?? []) judge.held.release(one, NF_ACCEPT, flow.mark);
    return true;
  }

  private hold(q: QueuedPacket, p: DecodedPacket, slot: number, direction: Direction, flow: FlowRuling): void {
    const waits = this.options.stream.hold_ms > 0 && !this.judge.verdicts.isObserving;
    const kernel = { queueId: waits ? q.id : -1, mark: q.mark, nowMs: performance.now() };
    const held = this.guard.hold(p, slot, direction, kernel);
    if (held === undefined) return this.refuseAhead(q, p);
    if (waits) this.deps.sink.hold();
    else this.judge.accept(q.id, q.mark, flow, direction);
  }

  /** A connection that has used up its own room loses nothing: its sender sends the segment again after the missing one. */
  private refuseAhead(q: QueuedPacket, p: DecodedPacket): void {
    const { verdicts } = this.judge;
    if (this.guard.isFull(p.ipLen) || verdicts.isObserving) return verdicts.exception(q, 'memory', p);
    this.counts.held_refused++;
    this.deps.sink.verdict(q.id, NF_DROP, -1);
  }
}
