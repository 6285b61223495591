import type { Core, StatValue } from '../core.js';
import { runLiveCanary } from './live.js';
import type { CanaryResult } from './step.js';

/** The first run comes soon after the start: a box that does not block should say so at once. */
const FIRST_MS = 30_000;

type Outcome = CanaryResult | { ok: false; error: string };

/** Proves by itself, now and then, that a block in the live table blocks; a failure is told critically to everybody. */
export class CanarySchedule {
  private readonly core: Core;
  private readonly netns: string | undefined;
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<Outcome> | undefined;
  private last: { atMs: number; ok: boolean | undefined; detail: string } | undefined;
  private nextMs = 0;

  constructor(core: Core, netns: string | undefined) {
    this.core = core;
    this.netns = netns;
  }

  start(): void {
    const { canary_interval_secs: secs } = this.core.options;
    if (secs > 0 && this.core.backend.name !== 'dry-run') this.plan(Math.min(FIRST_MS, secs * 1000));
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** Runs it now; a call while it runs waits for that run. */
  run(): Promise<Outcome> {
    this.running ??= this.prove().finally(() => {
      this.running = undefined;
    });
    return this.running;
  }

  /** For the state. */
  stats(): Record<string, StatValue> {
    return {
      ...(this.last ? { canary_last_ms: this.last.atMs, canary_detail: this.last.detail } : {}),
      ...(this.last?.ok === undefined ? {} : { canary_ok: this.last.ok }),
      ...(this.nextMs > 0 ? { canary_next_ms: this.nextMs } : {}),
    };
  }

  private plan(inMs: number): void {
    this.nextMs = this.core.clock.wallMs() + inMs;
    this.timer = setTimeout(() => {
      void this.run().then(() => {
        if (this.timer) this.plan(this.core.options.canary_interval_secs * 1000);
      });
    }, inMs);
    this.timer.unref();
  }

  private async prove(): Promise<Outcome> {
    const { core } = this;
    if (core.backend.name === 'dry-run') return { ok: false, error: 'The dry-run backend blocks nothing.' };
    const result = await runLiveCanary(core, this.netns);
    const failed = result.steps.find((s) => !s.ok);
    const ms = result.steps.reduce((sum, s) => sum + s.ms, 0);
    const detail = failed ? `${failed.name}: ${failed.detail}` : `${result.steps.length} steps in ${ms.toFixed(1)} ms`;
    if (result.unprovable !== undefined) {
      core.log.info({ why: result.unprovable }, 'the canary cannot prove anything here; "portcullis canary" can');
      this.last = { atMs: core.clock.wallMs(), ok: undefined, detail: `not provable: ${result.unprovable}` };
      return result;
    }
    this.last = { atMs: core.clock.wallMs(), ok: result.ok, detail };
    if (failed) {
      core.emit.incident({
        severity: 'critical',
        code: 'enforce.canary_failed',
        message: `A test block did not hold: ${detail}`,
        details: { step: failed.name },
      });
    }
    return result;
  }
}
