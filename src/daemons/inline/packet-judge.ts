import type { Direction } from '../../domain/flow.js';
import { PROTO, type DecodedPacket } from '../../domain/packet.js';
import type { FlowTable } from '../../flow/index.js';
import { NF_ACCEPT, type InlineOptions, type QueuedPacket, type StreamGuard } from '../../inline/index.js';
import { nowUs } from '../../util/clock.js';
import { mayBypass } from '../flow-bypass.js';
import type { SignatureObserver } from '../signature-observer.js';
import { Answers } from './answers.js';
import type { InspectorCounts } from './counts.js';
import type { DropReason } from './drop-book.js';
import { Findings, type Hit } from './findings.js';
import type { FlowRuling } from './flow-ruling.js';
import { HeldPackets } from './held-packets.js';
import type { InspectorDeps } from './inspector-deps.js';
import { Verdicts } from './verdicts.js';

/** Shows a packet to the signatures and does with it, and with its connection, what follows from that. */
export class PacketJudge {
  readonly findings: Findings;
  readonly verdicts: Verdicts;
  readonly answers: Answers;
  readonly held: HeldPackets;
  readonly guard: StreamGuard;
  observer: SignatureObserver | undefined;
  private readonly options: InlineOptions;
  private readonly deps: InspectorDeps;
  private readonly counts: InspectorCounts;
  private readonly flows: FlowTable;

  constructor(
    options: InlineOptions,
    deps: InspectorDeps,
    own: { counts: InspectorCounts; guard: StreamGuard; flows: FlowTable },
  ) {
    this.options = options;
    this.deps = deps;
    this.counts = own.counts;
    this.guard = own.guard;
    this.flows = own.flows;
    this.findings = new Findings(deps.judge, deps.emit);
    this.verdicts = new Verdicts(options.exceptions, deps, own.counts);
    this.answers = new Answers(deps.raw);
    this.held = new HeldPackets(own.guard, deps);
  }

  /** A packet that is judged by itself. @param slot -1 without a flow. */
  judge(q: QueuedPacket, p: DecodedPacket, slot: number, direction: Direction, flow: FlowRuling | undefined): void {
    this.inspect(p, slot, direction, slot >= 0 && this.flows.isNew);
    const hit = this.findings.take();
    if (hit && this.obey(hit, q, p, slot, direction, flow)) return;
    if (flow) flow.judged[direction]! += p.payloadLen;
    this.accept(q.id, q.mark, flow, direction, slot);
  }

  /** What the signatures say is in `findings` then. */
  inspect(p: DecodedPacket, slot: number, direction: Direction, isNew: boolean): void {
    this.counts.judged++;
    this.counts.judged_bytes += p.ipTotalLen;
    this.findings.forget();
    this.observer?.onPacket(p, this.flows, slot, direction, isNew);
  }

  /**
   * @param next sequence number at which the victim believes a reset.
   * @returns true when the packet has its verdict.
   */
  obey(
    { ruling, detection }: Hit,
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
      this.verdicts.wouldDrop(p, reason);
      return false;
    }
    const isTcp = p.proto === PROTO.TCP;
    if (verdict === 'reject') this.answers.reject(p);
    if (flow && (isTcp || verdict === 'drop_flow')) {
      flow.cut = reason;
      this.counts.flows_cut++;
      if (isTcp && (this.options.resets || verdict === 'reject')) this.answers.resetVictim(p, next);
      this.held.dropAll(slot);
      this.verdicts.cut(q, p, reason);
    } else this.verdicts.drop(q, p, reason);
    return true;
  }

  /** @param slot of a packet that was judged just now: the rest of its direction may then go on without us. */
  accept(id: number, mark: number, flow: FlowRuling | undefined, direction: Direction, slot = -1): void {
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
    if (this.guard.heldOf(2 * slot + direction).length > 0) return false;
    return mayBypass(this.options.bypass, flow.judged[direction]!, this.observer?.appOf(slot));
  }
}
