import type { Detection } from '../../domain/detection.js';
import type { FlowColumns, FlowEndReason } from '../../domain/flow.js';
import { DECODE, DecodedPacket, PROTO, TCP } from '../../domain/packet.js';
import { createFlowTable } from '../../flow/index.js';
import { hasValidChecksum, StreamGuard, type InlineOptions, type QueuedPacket } from '../../inline/index.js';
import { nowUs } from '../../util/clock.js';
import type { PipelineOptions } from '../pipeline.js';
import type { SignatureObserver } from '../signature-observer.js';
import { inspectorCounts } from './counts.js';
import type { InspectorDeps } from './inspector-deps.js';
import { FlowRuling } from './flow-ruling.js';
import { PacketJudge } from './packet-judge.js';
import { RawDecoder } from './raw-decoder.js';
import { SegmentJudge } from './segment-judge.js';

/**
 * Judges queued packets one by one: decoder, flow table, stream guard, signatures, policies, verdict. Everything happens in
 * the call; only segments whose predecessors are missing wait.
 */
export class Inspector {
  readonly counts = inspectorCounts();
  readonly guard: StreamGuard;
  /** When the packet looked at last was decoded, microseconds since the epoch. */
  decodedUs = 0;
  private readonly options: InlineOptions;
  private readonly deps: InspectorDeps;
  private readonly decoder: RawDecoder;
  private readonly flows;
  private readonly judge: PacketJudge;
  private readonly segments: SegmentJudge;
  private readonly bySlot: (FlowRuling | undefined)[] = [];
  private readonly packet = new DecodedPacket();

  constructor(options: InlineOptions, pipeline: PipelineOptions, deps: InspectorDeps) {
    this.options = options;
    this.deps = deps;
    this.guard = new StreamGuard({
      flowBytes: options.stream.flow_kib * 1024,
      totalBytes: options.stream.total_mib * 1024 * 1024,
    });
    this.decoder = new RawDecoder(pipeline);
    this.flows = createFlowTable(pipeline.flow ?? {}, {
      onEnd: (columns, slot, reason, atUs) => this.onFlowEnd(columns, slot, reason, atUs),
    });
    const { counts, guard, flows, decoder } = this;
    this.judge = new PacketJudge(options, deps, { counts, guard, flows });
    this.segments = new SegmentJudge(options, deps, { counts, guard, flows, decoder, judge: this.judge });
  }

  /** The signatures report through {@link onDetection}; so they are made after this. */
  attach(observer: SignatureObserver): void {
    this.judge.observer = observer;
  }

  /** A signature matched the packet at hand. @param isQuiet it was reported before: only its verdict counts. */
  onDetection(detection: Detection, isQuiet: boolean): void {
    this.judge.findings.add(detection, isQuiet);
  }

  /** @param atUs when judging began, microseconds since the epoch. */
  onQueued(q: QueuedPacket, atUs = nowUs()): void {
    const { packet, flows, judge } = this;
    const { verdicts } = judge;
    this.decoder.decode(q.data, q.offset, q.length, q.fullLength, packet, atUs);
    this.decodedUs = nowUs();
    if (q.fullLength > q.length) return verdicts.exception(q, 'truncated', packet);
    if (
      packet.ipVersion === 0 ||
      packet.result === DECODE.TRUNCATED ||
      packet.result === DECODE.MALFORMED ||
      packet.isFragment
    )
      return verdicts.exception(q, 'parser_error', packet);
    if (q.isUnverified && !hasValidChecksum(packet)) return verdicts.invalid(q, packet, 'Wrong checksum');
    if (packet.proto === PROTO.TCP && packet.tcpFlags & TCP.URG && packet.payloadLen > 0) {
      if (this.options.exceptions.urgent === 'drop') return verdicts.exception(q, 'urgent', packet);
      this.counts.exception_urgent++;
    }
    if (!verdicts.isObserving && this.deps.isBlocked(packet)) {
      this.counts.decision_drops++;
      return verdicts.refuse(q, packet, 'Blocked by a decision');
    }
    const slot = flows.push(packet);
    if (slot < 0) return judge.judge(q, packet, -1, 0, undefined);
    const direction = flows.direction;
    const flow = (this.bySlot[slot] ??= new FlowRuling());
    if (flow.cut) return verdicts.cut(q, packet, flow.cut);
    if (flow.passed[direction]) return judge.accept(q.id, q.mark, flow, direction);
    if (packet.proto === PROTO.TCP) this.segments.onSegment(q, packet, slot, direction, flow);
    else judge.judge(q, packet, slot, direction, flow);
  }

  /** Lets segments go that were held long enough; they stay in mind. */
  releaseOverdue(nowMs: number): void {
    this.counts.held_too_long += this.judge.held.releaseOlder(nowMs - this.options.stream.hold_ms);
  }

  /** Gives every held packet the verdict, before the queue is closed. */
  releaseAll(verdict: number): void {
    this.judge.held.releaseAll(verdict);
  }

  tick(atUs: number): void {
    this.flows.tick(atUs);
    this.judge.observer?.onTick?.(atUs);
  }

  /** Ends all flows and counts from zero. */
  forgetAll(): void {
    this.flows.flush(nowUs());
    for (const name of Object.keys(this.counts)) this.counts[name as keyof typeof this.counts] = 0;
    for (const name of Object.keys(this.guard.counts)) this.guard.counts[name as keyof typeof this.guard.counts] = 0;
  }

  stats(): Record<string, number> {
    const { guard, judge } = this;
    return {
      ...this.counts,
      ...judge.answers.counts,
      ...guard.counts,
      held_bytes: guard.memoryBytes,
      flows: this.flows.size,
      ...judge.observer?.stats(),
    };
  }

  private onFlowEnd(columns: FlowColumns, slot: number, reason: FlowEndReason, atUs: number): void {
    if (reason !== 'active') {
      this.bySlot[slot] = undefined;
      for (const direction of [0, 1] as const) this.segments.onEnd(slot, direction, reason);
    }
    this.judge.observer?.onFlowEnd?.(columns, slot, reason, atUs);
  }
}
