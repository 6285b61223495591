import type { Decision } from '../../domain/decision.js';

/** One step of the proof that a block really blocks. */
export interface CanaryStep {
  name: string;
  ok: boolean;
  ms: number;
  detail: string;
}

export interface CanaryResult {
  ok: boolean;
  /** Where it was proved: a private namespace, or the live table with a documentation address. */
  place: 'namespace' | 'live';
  steps: CanaryStep[];
  /** Nothing was proved and nothing is wrong: why it cannot be proved here. */
  unprovable?: string;
}

/** The namespaces of a proof, for the way from packets to a decision. */
export interface CanaryPlace {
  box: string;
  attacker: string;
  /** The box's end of the link. */
  interface: string;
  /** The box's address. */
  target: string;
}

/** A decision that came out of packets; times are microseconds since the epoch. */
export interface CanarySighting {
  decision: Decision;
  label: string;
  packetUs: number;
  detectedUs: number;
  decidedUs: number;
}

/** Sees hostile packets and decides; given by who wires sensor and policies. */
export interface CanaryDetection {
  /** @returns what watches. */
  open(place: CanaryPlace): Promise<string>;
  /** Sends hostile packets; resolves with what was decided. */
  provoke(): Promise<CanarySighting>;
  close(): Promise<void>;
}

/** Runs steps one after the other and stops at the first that fails. */
export class CanaryRun {
  readonly steps: CanaryStep[] = [];
  /** What the step that failed threw. */
  error: unknown;

  get ok(): boolean {
    return this.steps.every((s) => s.ok);
  }

  /** @param action returns what it saw, or throws with what went wrong. */
  async step(name: string, action: () => Promise<string> | string): Promise<void> {
    if (!this.ok) return;
    const startMs = performance.now();
    let detail: string;
    let ok = true;
    try {
      detail = await action();
    } catch (error) {
      ok = false;
      this.error = error;
      detail = error instanceof Error ? error.message : String(error);
    }
    this.record({ name, ok, ms: performance.now() - startMs, detail });
  }

  /** A step that was timed elsewhere. */
  record(step: CanaryStep): void {
    this.steps.push({ ...step, ms: Math.round(step.ms * 1000) / 1000 });
  }
}
