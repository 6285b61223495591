import { NF_ACCEPT, NF_DROP, type HeldSegment, type StreamGuard } from '../../inline/index.js';
import type { InspectorDeps } from './inspector-deps.js';

/** Packets that wait in the kernel's queue because what belongs before them is missing. */
export class HeldPackets {
  private readonly guard: StreamGuard;
  private readonly deps: Pick<InspectorDeps, 'sink'>;

  /** @param deps its sink is exchanged when the queue is there. */
  constructor(guard: StreamGuard, deps: Pick<InspectorDeps, 'sink'>) {
    this.guard = guard;
    this.deps = deps;
  }

  /** Gives one its verdict, unless it has had it; the segment may stay in mind. */
  release(held: HeldSegment, verdict: number, mark = -1): void {
    if (held.queueId < 0) return;
    this.deps.sink.verdict(held.queueId, verdict, mark);
    this.deps.sink.released();
    held.queueId = -1;
  }

  /** Lets those go that came before this time. @returns how many. */
  releaseOlder(thanMs: number): number {
    let count = 0;
    for (const key of this.guard.waiting) {
      for (const held of this.guard.heldOf(key)) {
        if (held.queueId < 0 || held.heldMs > thanMs) continue;
        count++;
        this.release(held, NF_ACCEPT);
      }
    }
    return count;
  }

  releaseAll(verdict: number): void {
    for (const key of this.guard.waiting) for (const held of this.guard.heldOf(key)) this.release(held, verdict);
  }

  /** The connection is cut. */
  dropAll(slot: number): void {
    for (const direction of [0, 1] as const)
      for (const held of this.guard.forget(slot, direction)) this.release(held, NF_DROP);
  }
}
