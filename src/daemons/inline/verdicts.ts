import type { DecodedPacket } from '../../domain/packet.js';
import { NF_ACCEPT, NF_DROP, type InlineOptions, type QueuedPacket } from '../../inline/index.js';
import type { InspectorCounts } from './counts.js';
import type { DropReason } from './drop-book.js';
import { EXCEPTION } from './flow-ruling.js';
import type { InspectorDeps } from './inspector-deps.js';

/** Carries out what was ruled about single packets, and counts it. In observe mode everything passes. */
export class Verdicts {
  private readonly exceptions: InlineOptions['exceptions'];
  private readonly deps: InspectorDeps;
  private readonly counts: InspectorCounts;

  constructor(exceptions: InlineOptions['exceptions'], deps: InspectorDeps, counts: InspectorCounts) {
    this.exceptions = exceptions;
    this.deps = deps;
    this.counts = counts;
  }

  get isObserving(): boolean {
    return this.deps.judge.mode !== 'enforce';
  }

  /** The packet is dropped, or only counted when the reason is simulated. */
  drop(q: QueuedPacket, p: DecodedPacket, reason: DropReason): void {
    if (reason.simulated) {
      this.wouldDrop(p, reason);
      this.deps.sink.verdict(q.id, NF_ACCEPT, -1);
      return;
    }
    this.countDrop(p, reason);
    this.deps.sink.verdict(q.id, NF_DROP, -1);
  }

  /** A drop that no rule asked for. */
  refuse(q: QueuedPacket, p: DecodedPacket, title: string, severity: DropReason['severity'] = 'low'): void {
    this.drop(q, p, { ...EXCEPTION, severity, title, simulated: this.isObserving });
  }

  /** What the receiver ignores must not reach it either: it could be meant for us alone. */
  invalid(q: QueuedPacket, p: DecodedPacket, title: string): void {
    this.counts.invalid++;
    this.refuse(q, p, title, 'info');
  }

  /** A packet that cannot be judged passes or is dropped, as its kind of exception says. */
  exception(q: QueuedPacket, kind: keyof InlineOptions['exceptions'], p: DecodedPacket): void {
    this.counts[`exception_${kind}`]++;
    if (this.exceptions[kind] === 'pass') return this.deps.sink.verdict(q.id, NF_ACCEPT, -1);
    this.refuse(q, p, `exception: ${kind.replace('_', ' ')}`);
  }

  /** The connection is cut: the kernel drops this packet and all that follow. */
  cut(q: QueuedPacket, p: DecodedPacket, reason: DropReason): void {
    this.countDrop(p, reason);
    const { marks, sink } = this.deps;
    sink.verdict(q.id, NF_ACCEPT, ((q.mark & ~marks.all) | marks.cut) >>> 0);
  }

  /** Only counted: the packet goes on being judged. */
  wouldDrop(p: DecodedPacket, reason: DropReason): void {
    this.counts.would_drop++;
    this.deps.drops.add(p, reason, Date.now());
  }

  private countDrop(p: DecodedPacket, reason: DropReason): void {
    this.counts.dropped++;
    this.counts.dropped_bytes += p.ipTotalLen;
    this.deps.drops.add(p, reason, Date.now());
  }
}
