import type { Core, StatValue } from '../core.js';
import { runLiveCanary } from './live.js';
import type { CanaryResult } from './step.js';
import { TimedCanary } from './timed.js';

/** The first run comes soon after the start: a box that does not block should say so at once. */
const FIRST_MS = 30_000;
const WHOLE_FIRST_MS = 300_000;

/** Proves by itself, now and then, that a block in the live table blocks; a failure is told critically to everybody. */
export class CanarySchedule {
  private readonly core: Core;
  private readonly netns: string | undefined;
  private readonly wholeWay: (() => Promise<CanaryResult>) | undefined;
  private readonly timed: TimedCanary;
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<CanaryResult> | undefined;
  private last: { atMs: number; ok: boolean | undefined; detail: string } | undefined;
  private nextMs = 0;

  /** @param wholeWay the proof from packets to the release, in namespaces of its own. */
  constructor(core: Core, netns: string | undefined, wholeWay?: () => Promise<CanaryResult>) {
    this.core = core;
    this.netns = netns;
    this.wholeWay = wholeWay;
    this.timed = new TimedCanary(core.options.canary_result, core.clock.wallMs);
  }

  start(): void {
    const { canary_interval_secs: secs } = this.core.options;
    if (secs > 0 && this.core.backend.name !== 'dry-run') this.plan(Math.min(FIRST_MS, secs * 1000), false);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** Takes over what the system's timer has found out; call it about once a second. */
  takeTimed(): void {
    const result = this.timed.take();
    if (result) this.note([result]);
  }

  /** Runs it now; a call while it runs waits for that run. */
  run(isWhole = true): Promise<CanaryResult> {
    this.running ??= this.prove(isWhole).finally(() => {
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

  /** The first run, soon after the start, proves only that the table blocks; what takes a sensor waits a little. */
  private plan(inMs: number, isWhole: boolean): void {
    this.nextMs = this.core.clock.wallMs() + inMs;
    this.timer = setTimeout(() => {
      void this.run(isWhole).then(() => {
        const everyMs = this.core.options.canary_interval_secs * 1000;
        if (this.timer) this.plan(isWhole ? everyMs : Math.min(everyMs, WHOLE_FIRST_MS), true);
      });
    }, inMs);
    this.timer.unref();
  }

  private async prove(isWhole: boolean): Promise<CanaryResult> {
    const { core } = this;
    if (core.backend.name === 'dry-run') {
      return { ok: false, place: 'live', steps: [], unprovable: 'the dry-run backend blocks nothing' };
    }
    const live = await runLiveCanary(core, this.netns);
    // Where the timer proves the whole way, this process could not: it makes no namespaces.
    const whole = isWhole ? (this.timed.latest ?? (await this.wholeWay?.())) : undefined;
    const results = whole ? [live, whole] : [live];
    this.note(results);
    return combine(results);
  }

  private note(results: readonly CanaryResult[]): void {
    const { core } = this;
    const provable = results.filter((r) => r.unprovable === undefined);
    const failed = provable.flatMap((r) => r.steps).find((s) => !s.ok);
    this.last = {
      atMs: core.clock.wallMs(),
      ok: provable.length === 0 ? undefined : failed === undefined,
      detail: failed ? `${failed.name}: ${failed.detail}` : results.map(describe).join('; '),
    };
    for (const { place, unprovable } of results) {
      if (unprovable === undefined) continue;
      core.log.info({ place, why: unprovable }, 'the canary cannot prove this here; "portcullis canary" can');
    }
    if (!failed) return;
    core.emit.incident({
      severity: 'critical',
      code: 'enforce.canary_failed',
      message: `A test block did not hold: ${this.last.detail}`,
      details: { step: failed.name },
    });
  }
}

function describe({ place, steps, unprovable }: CanaryResult): string {
  const where = place === 'live' ? 'the table blocks' : 'from packets to the release';
  if (unprovable !== undefined) return `${where}: not provable: ${unprovable}`;
  return `${where}: ${steps.length} steps in ${steps.reduce((sum, s) => sum + s.ms, 0).toFixed(1)} ms`;
}

/** What could not be proved takes nothing from what could. */
function combine(results: readonly CanaryResult[]): CanaryResult {
  const provable = results.filter((r) => r.unprovable === undefined);
  const steps = (provable.length > 0 ? provable : results).flatMap((r) => r.steps);
  const place = provable.some((r) => r.place === 'namespace') ? 'namespace' : 'live';
  if (provable.length > 0) return { ok: provable.every((r) => r.ok), place, steps };
  const unprovable = results.map((r) => r.unprovable).join('; ');
  return { ok: false, place, steps, unprovable };
}
