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
    this.steps.push({ name, ok, ms: Math.round((performance.now() - startMs) * 1000) / 1000, detail });
  }
}
