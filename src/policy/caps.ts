import type { Decision } from '../domain/decision.js';
import type { Policy } from './schema.js';

/** A flood of forged sources must fill neither the sets nor the store: so many are counted for each that may block. */
export const SIMULATED_PER_BLOCK = 10;

/** Decisions in a sliding minute of one-second buckets. */
class MinuteCount {
  private readonly sec = new Float64Array(60);
  private readonly n = new Uint32Array(60);

  add(nowMs: number): void {
    const sec = Math.floor(nowMs / 1000);
    const i = sec % 60;
    if (this.sec[i] !== sec) {
      this.sec[i] = sec;
      this.n[i] = 0;
    }
    this.n[i]! += 1;
  }

  sum(nowMs: number): number {
    const now = Math.floor(nowMs / 1000);
    let sum = 0;
    for (let i = 0; i < 60; i++) if (this.sec[i]! > now - 60 && this.sec[i]! <= now) sum += this.n[i]!;
    return sum;
  }
}

/** Limits of a policy, for each lane apart: new decisions a minute, real and only counted, and decisions in force. */
export interface Caps {
  /** @returns which cap a real decision would go beyond, in words. */
  exceeded(policy: Policy, lane: string, nowMs: number): string | undefined;
  /** True when no more may be made that only count. */
  simulatedFull(policy: Policy, lane: string, nowMs: number): boolean;
  count(lane: string, decision: Decision, nowMs: number): void;
  end(decisionId: string): void;
}

export function createCaps(): Caps {
  const real = new Map<string, MinuteCount>();
  const simulated = new Map<string, MinuteCount>();
  const active = new Map<string, Map<string, number>>();
  return {
    exceeded(policy, lane, nowMs) {
      const made = real.get(lane)?.sum(nowMs) ?? 0;
      if (made >= policy.caps.blocks_per_minute)
        return `${made} decisions in the last minute reach the cap of policy ${policy.name}`;
      const inForce = active.get(lane);
      if (!inForce || inForce.size < policy.caps.active) return undefined;
      for (const [id, until] of inForce) if (until <= nowMs) inForce.delete(id);
      return inForce.size >= policy.caps.active
        ? `${inForce.size} decisions in force reach the cap of policy ${policy.name}`
        : undefined;
    },
    simulatedFull: (policy, lane, nowMs) =>
      (simulated.get(lane)?.sum(nowMs) ?? 0) >= SIMULATED_PER_BLOCK * policy.caps.blocks_per_minute,
    count(lane, decision, nowMs) {
      const counts = decision.simulated ? simulated : real;
      const minute = counts.get(lane) ?? new MinuteCount();
      counts.set(lane, minute);
      minute.add(nowMs);
      if (decision.simulated) return;
      const inForce = active.get(lane) ?? new Map<string, number>();
      active.set(lane, inForce);
      inForce.set(decision.id, decision.expiresMs === 0 ? Infinity : decision.expiresMs);
    },
    end(decisionId) {
      for (const inForce of active.values()) inForce.delete(decisionId);
    },
  };
}
