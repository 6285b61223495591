import type { Core } from './core.js';
import type { TimedElement } from './ruleset.js';

/** Loads the whole table with everything that should be in force: at start, after damage, after a flush. */
export class TableLoader {
  private readonly core: Core;
  /** False from the moment the table is known to be damaged until it is loaded again. */
  isIntact = false;

  constructor(core: Core) {
    this.core = core;
  }

  damaged(): void {
    this.isIntact = false;
  }

  /** Call it between transactions only. @returns the time of the kernel's answer, microseconds since the epoch. */
  async load(why: string): Promise<number> {
    const { core } = this;
    core.isLoaded = true;
    this.isIntact = false;
    await core.backend.replace(core.layout, this.timedElements());
    this.isIntact = true;
    core.missing.clear();
    core.counts.rebuilds += 1;
    core.log.info({ why, elements: core.ledger.size }, 'ruleset loaded');
    return core.clock.us();
  }

  private *timedElements(): Generator<TimedElement> {
    const nowMs = this.core.clock.monoMs();
    for (const [, { element, deadlineMs }] of this.core.ledger.entries()) {
      if (deadlineMs > nowMs) yield { element, timeoutMs: deadlineMs === Infinity ? 0 : deadlineMs - nowMs };
    }
  }
}
