import type { Detection } from '../../domain/detection.js';
import type { Direction, FlowColumns, FlowEndReason } from '../../domain/flow.js';
import { DECODE, DecodedPacket, PROTO, TCP } from '../../domain/packet.js';
import { createFlowTable } from '../../flow/index.js';
import {
  hasValidChecksum,
  NF_ACCEPT,
  NF_DROP,
  StreamGuard,
  STEP,
  type HeldSegment,
  type InlineOptions,
  type QueuedPacket,
} from '../../inline/index.js';
import { nowUs } from '../../util/clock.js';
import type { PipelineOptions } from '../pipeline.js';
import type { SignatureObserver } from '../signature-observer.js';
import { Answers } from './answers.js';
import type { DropReason } from './drop-book.js';
import { stronger, type Ruling } from './judge.js';
import type { InspectorDeps } from './inspector-deps.js';
import { EXCEPTION, FlowRuling } from './flow-ruling.js';
import { HeldPackets } from './held-packets.js';
import { RawDecoder } from './raw-decoder.js';

/**
 * Judges queued packets one by one: decoder, flow table, stream guard, signatures, policies, verdict. Everything happens in
 * the call; only segments whose predecessors are missing wait.
 */
export class Inspector {
  readonly counts = {
    judged: 0,
    judged_bytes: 0,
    dropped: 0,
    dropped_bytes: 0,
    would_drop: 0,
    flows_cut: 0,
    marked: 0,
    directions_bypassed: 0,
    held_too_long: 0,
    held_refused: 0,
    holes_cut: 0,
    exception_memory: 0,
    exception_midstream: 0,
    exception_parser_error: 0,
    exception_truncated: 0,
    exception_urgent: 0,
    invalid: 0,
    decision_drops: 0,
  };
  readonly guard: StreamGuard;
  private readonly options: InlineOptions;
  private readonly deps: InspectorDeps;
  private readonly decoder: RawDecoder;
  private readonly answers: Answers;
  private readonly held: HeldPackets;
  private readonly flows;
  private readonly bySlot: (FlowRuling | undefined)[] = [];
  private readonly packet = new DecodedPacket();
  private readonly heldPacket = new DecodedPacket();
  private ruling: { ruling: Ruling; detection: Detection } | undefined;
  private findings: Detection[] = [];
  private observer: SignatureObserver | undefined;

  constructor(options: InlineOptions, pipeline: PipelineOptions, deps: InspectorDeps) {
    this.options = options;
    this.deps = deps;
    this.guard = new StreamGuard({
      flowBytes: options.stream.flow_kib * 1024,
      totalBytes: options.stream.total_mib * 1024 * 1024,
    });
    this.held = new HeldPackets(this.guard, deps.sink);
    this.decoder = new RawDecoder(pipeline);
    this.answers = new Answers(deps.raw);
    this.flows = createFlowTable(pipeline.flow ?? {}, {
      onEnd: (columns, slot, reason, atUs) => this.onFlowEnd(columns, slot, reason, atUs),
    });
  }

  /** The signatures report through {@link onDetection}; so they are made after this. */
  attach(observer: SignatureObserver): void {
    this.observer = observer;
  }

  /** A signature matched the packet at hand. @param isQuiet it was reported before: only its verdict counts. */
  onDetection(detection: Detection, isQuiet: boolean): void {
    const ruling = this.deps.judge.rule(detection, detection.packetUs / 1000);
    if (ruling === undefined) return;
    if (!isQuiet) this.findings.push(detection);
    if (this.ruling === undefined || stronger(this.ruling.ruling, ruling) === ruling)
      this.ruling = { ruling, detection };
  }

  onQueued(q: QueuedPacket): void {
    const { packet, flows } = this;
    this.decoder.decode(q.data, q.offset, q.length, q.fullLength, packet);
    if (q.fullLength > q.length) return this.exception(q, 'truncated', packet);
    if (
      packet.ipVersion === 0 ||
      packet.result === DECODE.TRUNCATED ||
      packet.result === DECODE.MALFORMED ||
      packet.isFragment
    )
      return this.exception(q, 'parser_error', packet);
    if (q.isUnverified && !hasValidChecksum(packet)) return this.invalid(q, packet, 'Wrong checksum');
    if (packet.proto === PROTO.TCP && packet.tcpFlags & TCP.URG && packet.payloadLen > 0) {
      if (this.options.exceptions.urgent === 'drop') return this.exception(q, 'urgent', packet);
      this.counts.exception_urgent++;
    }
    if (this.deps.isBlocked(packet)) {
      this.counts.decision_drops++;
      return this.drop(q, packet, { ...EXCEPTION, title: 'Blocked by a decision', simulated: this.isObserving });
    }
    const slot = flows.push(packet);
    if (slot < 0) return this.judgeAlone(q, packet, -1, 0, false);
    const direction = flows.direction;
    const flow = (this.bySlot[slot] ??= new FlowRuling());
    if (flow.cut) return this.stop(q, packet, flow.cut);
    if (flow.passed[direction]) return this.accept(q.id, q.mark, flow, direction);
    if (packet.proto === PROTO.TCP) this.judgeSegment(q, packet, slot, direction, flow);
    else this.judgeAlone(q, packet, slot, direction, flows.isNew);
  }

  /** Lets segments go that were held long enough; they stay in mind. */
  releaseOverdue(nowMs: number): void {
    this.counts.held_too_long += this.held.releaseOlder(nowMs - this.options.stream.hold_ms);
  }

  /** Gives every held packet the verdict, before the queue is closed. */
  releaseAll(verdict: number): void {
    this.held.releaseAll(verdict);
  }

  tick(atUs: number): void {
    this.flows.tick(atUs);
    this.observer?.onTick?.(atUs);
  }

  /** Ends all flows and counts from zero. */
  forgetAll(): void {
    this.flows.flush(nowUs());
    for (const name of Object.keys(this.counts)) this.counts[name as keyof typeof this.counts] = 0;
    for (const name of Object.keys(this.guard.counts)) this.guard.counts[name as keyof typeof this.guard.counts] = 0;
  }

  stats(): Record<string, number> {
    const { guard } = this;
    return {
      ...this.counts,
      ...this.answers.counts,
      ...guard.counts,
      held_bytes: guard.memoryBytes,
      flows: this.flows.size,
      ...this.observer?.stats(),
    };
  }

  private get isObserving(): boolean {
    return this.deps.judge.mode !== 'enforce';
  }

  private judgeSegment(q: QueuedPacket, p: DecodedPacket, slot: number, direction: Direction, flow: FlowRuling): void {
    const { guard, flows } = this;
    let step = guard.look(p, slot, direction);
    if (step === STEP.PASS) return this.accept(q.id, q.mark, flow, direction);
    if (step === STEP.CONFLICT) {
      const title = 'Segment differs from what was judged before';
      return this.drop(q, p, { ...EXCEPTION, severity: 'medium', title, simulated: this.isObserving });
    }
    if (step === STEP.UNKNOWN) return this.exception(q, 'memory', p);
    if (step === STEP.MIDSTREAM) {
      this.counts.exception_midstream++;
      if (this.options.exceptions.midstream === 'drop' && !this.isObserving)
        return this.drop(q, p, { ...EXCEPTION, title: 'exception: midstream' });
      guard.adopt(p, slot, direction);
      step = STEP.INSPECT;
    }
    if (step === STEP.AHEAD) return this.holdSegment(q, p, slot, direction, flow);
    const isNew = flows.isNew;
    this.inspect(p, slot, direction, isNew);
    const hit = this.takeRuling();
    if (hit && this.obey(hit, q, p, slot, direction, flow)) return;
    if (this.observer?.isValid === false) return this.invalid(q, p, 'Segment that the receiver would ignore');
    const next = guard.nextOf(slot, direction);
    guard.judged(p, slot, direction);
    this.count(flow, direction, p.payloadLen);
    if (!this.judgeReady(q, p, slot, direction, flow, next)) return;
    this.accept(q.id, q.mark, flow, direction, slot);
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
    let ready: HeldSegment[] | undefined;
    for (let held = this.guard.takeReady(slot, direction); held; held = this.guard.takeReady(slot, direction)) {
      (ready ??= []).push(held);
      const late = this.heldPacket;
      this.decoder.decode(held.packet, 0, held.packet.length, held.packet.length, late);
      // Its timestamp was fresh when it came, before the one that was missing was sent again.
      late.tcpOptionsLen = 0;
      this.inspect(late, slot, direction, false);
      const hit = this.takeRuling();
      if (hit && this.obey(hit, q, p, slot, direction, flow, next)) {
        for (const one of ready) this.held.release(one, NF_DROP);
        return false;
      }
      this.guard.judged(late, slot, direction);
      this.count(flow, direction, late.payloadLen);
    }
    for (const one of ready ?? []) this.held.release(one, NF_ACCEPT, flow.mark);
    return true;
  }

  private holdSegment(q: QueuedPacket, p: DecodedPacket, slot: number, direction: Direction, flow: FlowRuling): void {
    const waits = this.options.stream.hold_ms > 0 && !this.isObserving;
    const kernel = { queueId: waits ? q.id : -1, mark: q.mark, nowMs: performance.now() };
    const held = this.guard.hold(p, slot, direction, kernel);
    if (held === undefined) return this.refuseAhead(q, p);
    if (waits) this.deps.sink.hold();
    else this.accept(q.id, q.mark, flow, direction);
  }

  /** A connection that has used up its own room loses nothing: its sender sends the segment again after the missing one. */
  private refuseAhead(q: QueuedPacket, p: DecodedPacket): void {
    if (this.guard.isFull(p.ipLen) || this.isObserving) return this.exception(q, 'memory', p);
    this.counts.held_refused++;
    this.deps.sink.verdict(q.id, NF_DROP, -1);
  }

  private judgeAlone(q: QueuedPacket, p: DecodedPacket, slot: number, direction: Direction, isNew: boolean): void {
    this.inspect(p, slot, direction, isNew);
    const flow = slot < 0 ? undefined : this.bySlot[slot];
    const hit = this.takeRuling();
    if (hit && this.obey(hit, q, p, slot, direction, flow)) return;
    if (flow) this.count(flow, direction, p.payloadLen);
    this.accept(q.id, q.mark, flow, direction, slot);
  }

  private inspect(p: DecodedPacket, slot: number, direction: Direction, isNew: boolean): void {
    this.counts.judged++;
    this.counts.judged_bytes += p.ipTotalLen;
    this.ruling = undefined;
    if (this.findings.length > 0) this.findings = [];
    this.observer?.onPacket(p, this.flows, slot, direction, isNew);
  }

  private takeRuling(): { ruling: Ruling; detection: Detection } | undefined {
    const { ruling } = this;
    if (ruling === undefined) return undefined;
    this.ruling = undefined;
    for (const found of this.findings) this.report(found, ruling.ruling);
    this.findings = [];
    return ruling;
  }

  /** @returns true when the packet has its verdict. */
  private obey(
    { ruling, detection }: { ruling: Ruling; detection: Detection },
    q: QueuedPacket,
    p: DecodedPacket,
    slot: number,
    direction: Direction,
    flow: FlowRuling | undefined,
    next = this.guard.nextOf(slot, direction),
  ): boolean {
    const { gid, signatureId, title, severity } = detection;
    const { verdict, simulated, policy } = ruling;
    const reason: DropReason = { verdict, simulated, gid, signatureId, title, severity, policy };
    if (verdict === 'mark') {
      if (!simulated && flow) {
        flow.mark = (ruling.mark & ~this.deps.marks.all) >>> 0;
        this.counts.marked++;
      }
      return false;
    }
    if (simulated) {
      this.counts.would_drop++;
      this.deps.drops.add(p, reason, Date.now());
      return false;
    }
    const isTcp = p.proto === PROTO.TCP;
    if (verdict === 'reject') this.answers.reject(p);
    if (flow && (isTcp || verdict === 'drop_flow')) {
      flow.cut = reason;
      this.counts.flows_cut++;
      if (isTcp && (this.options.resets || verdict === 'reject')) this.answers.resetVictim(p, next);
      this.held.dropAll(slot);
      this.stop(q, p, reason);
    } else this.drop(q, p, reason);
    return true;
  }

  /** The connection is cut: the kernel drops this packet and all that follow. */
  private stop(q: QueuedPacket, p: DecodedPacket, reason: DropReason): void {
    this.countDrop(p, reason);
    const { marks, sink } = this.deps;
    sink.verdict(q.id, NF_ACCEPT, ((q.mark & ~marks.all) | marks.cut) >>> 0);
  }

  private drop(q: QueuedPacket, p: DecodedPacket, reason: DropReason): void {
    if (reason.simulated) {
      this.counts.would_drop++;
      this.deps.drops.add(p, reason, Date.now());
      this.deps.sink.verdict(q.id, NF_ACCEPT, -1);
      return;
    }
    this.countDrop(p, reason);
    this.deps.sink.verdict(q.id, NF_DROP, -1);
  }

  private countDrop(p: DecodedPacket, reason: DropReason): void {
    this.counts.dropped++;
    this.counts.dropped_bytes += p.ipTotalLen;
    this.deps.drops.add(p, reason, Date.now());
  }

  /** What the receiver ignores must not reach it either: it could be meant for us alone. */
  private invalid(q: QueuedPacket, p: DecodedPacket, title: string): void {
    this.counts.invalid++;
    this.drop(q, p, { ...EXCEPTION, severity: 'info', title, simulated: this.isObserving });
  }

  private exception(q: QueuedPacket, kind: keyof InlineOptions['exceptions'], p: DecodedPacket): void {
    this.counts[`exception_${kind}`]++;
    if (this.options.exceptions[kind] === 'pass') return this.deps.sink.verdict(q.id, NF_ACCEPT, -1);
    this.drop(q, p, { ...EXCEPTION, title: `exception: ${kind.replace('_', ' ')}`, simulated: this.isObserving });
  }

  private accept(id: number, mark: number, flow: FlowRuling | undefined, direction: Direction, slot = -1): void {
    const { sink, marks } = this.deps;
    if (flow === undefined) return sink.verdict(id, NF_ACCEPT, -1);
    if (slot >= 0 && !flow.passed[direction] && this.mayBypass(flow, slot, direction)) {
      flow.passed[direction] = true;
      this.counts.directions_bypassed++;
      this.guard.forget(slot, direction);
      this.observer?.cease(slot, direction, nowUs());
    }
    const base = flow.mark >= 0 ? flow.mark : (mark & ~marks.all) >>> 0;
    if (flow.passed[direction]) return sink.verdict(id, NF_ACCEPT, (base | marks.pass) >>> 0);
    sink.verdict(id, NF_ACCEPT, flow.mark >= 0 ? flow.mark : -1);
  }

  private mayBypass(flow: FlowRuling, slot: number, direction: Direction): boolean {
    const { after_kib: afterKib, encrypted, apps } = this.options.bypass;
    if (this.guard.heldOf(2 * slot + direction).length > 0) return false;
    if (afterKib > 0 && flow.judged[direction]! >= afterKib * 1024) return true;
    const app = this.observer?.appOf(slot);
    if (app === undefined) return false;
    return (encrypted && app.isEncrypted) || (apps.length > 0 && app.proto !== undefined && apps.includes(app.proto));
  }

  private count(flow: FlowRuling, direction: Direction, bytes: number): void {
    flow.judged[direction]! += bytes;
  }

  private report(detection: Detection, { verdict, simulated, policy }: Ruling): void {
    const text = simulated ? `would have been stopped inline (${verdict})` : `stopped inline (${verdict})`;
    detection.metadata = { ...detection.metadata, inline_verdict: [simulated ? 'simulated' : verdict] };
    detection.evidence = [
      ...detection.evidence,
      { name: 'inline', value: verdict, text: `${text} by policy ${policy}` },
    ];
    detection.detectedUs = nowUs();
    this.deps.emit(detection);
  }

  private onFlowEnd(columns: FlowColumns, slot: number, reason: FlowEndReason, atUs: number): void {
    if (reason !== 'active') {
      this.bySlot[slot] = undefined;
      for (const direction of [0, 1] as const) this.endDirection(slot, direction, reason);
    }
    this.observer?.onFlowEnd?.(columns, slot, reason, atUs);
  }

  /**
   * Segments that were let go ahead of a missing one are judged when it comes. When the connection is forgotten before, the
   * missing one would pass alone and complete what nobody has read: the receiver is told that it is over.
   */
  private endDirection(slot: number, direction: Direction, reason: FlowEndReason): void {
    const next = this.guard.nextOf(slot, direction);
    const all = this.guard.forget(slot, direction);
    const isLeft = reason === 'idle' || reason === 'evicted';
    for (const held of all) this.held.release(held, isLeft ? NF_DROP : NF_ACCEPT);
    const [first] = all;
    if (!isLeft || first === undefined || this.isObserving || !this.options.resets) return;
    this.counts.holes_cut++;
    this.decoder.decode(first.packet, 0, first.packet.length, first.packet.length, this.heldPacket);
    this.answers.resetVictim(this.heldPacket, next);
  }
}
