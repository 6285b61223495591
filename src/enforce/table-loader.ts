import type { Core } from './core.js';
import type { TimedElement } from './ruleset.js';

/** Loads the whole table with everything that should be in force: at start, after damage, after a flush. */
export class TableLoader {
  private readonly core: Core;
  /** False from the moment the table is known to be damaged until it is loaded again. */
  isIntact = false;

  private missing: string[] = [];
  private readonly interfaces: () => Promise<ReadonlySet<string>>;

  /** @param interfaces names of the network interfaces that there are now */
  constructor(core: Core, interfaces: () => Promise<ReadonlySet<string>>) {
    this.core = core;
    this.interfaces = interfaces;
  }

  damaged(): void {
    this.isIntact = false;
  }

  /** Call it between transactions only. @returns the time of the kernel's answer, microseconds since the epoch. */
  async load(why: string): Promise<number> {
    const { core } = this;
    core.isLoaded = true;
    this.isIntact = false;
    await this.replace();
    this.isIntact = true;
    core.missing.clear();
    core.counts.rebuilds += 1;
    core.log.info({ why, elements: core.ledger.size }, 'ruleset loaded');
    return core.clock.us();
  }

  /** True when an interface of `ingress_interfaces` that was missing has appeared: the table must be loaded again. */
  async isOutdated(): Promise<boolean> {
    if (this.missing.length === 0) return false;
    const there = await this.interfaces();
    return this.missing.some((name) => there.has(name));
  }

  /** An interface that is not there (yet) is left out, because the kernel would refuse the whole table for it. */
  private async replace(): Promise<void> {
    const { core } = this;
    const wanted = core.options.ingress_interfaces;
    const there = wanted.length > 0 ? await this.interfaces() : new Set<string>();
    const missing = wanted.filter((name) => !there.has(name));
    if (missing.length > 0 && missing.join() !== this.missing.join()) {
      core.emit.incident({
        severity: 'high',
        code: 'enforce.ingress_missing',
        message: `There is no interface ${missing.join(', ')}: its ingress is screened when it appears.`,
        details: { interfaces: missing.join(' ') },
      });
    }
    this.missing = missing;
    core.layout.ingress = wanted.filter((name) => !missing.includes(name));
    await core.backend.replace(core.layout, this.timedElements());
  }

  private *timedElements(): Generator<TimedElement> {
    const nowMs = this.core.clock.monoMs();
    for (const [, { element, deadlineMs }] of this.core.ledger.entries()) {
      if (deadlineMs > nowMs) yield { element, timeoutMs: deadlineMs === Infinity ? 0 : deadlineMs - nowMs };
    }
  }
}
