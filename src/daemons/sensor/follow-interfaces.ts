import { errorMessage } from '../../util/errors.js';
import type { Logger } from '../../util/logger.js';
import type { LiveCapture } from './live-capture.js';

const LOOK_EVERY_MS = 2000;
/** Each interface has a ring of its own: a host of many containers must not eat its memory. */
const MOST_INTERFACES = 16;

export interface FollowDeps {
  live: Pick<LiveCapture, 'setInterfaces' | 'interfaces'>;
  /** The interfaces to watch now when none is chosen. */
  present: () => readonly string[];
  /** False for an interface that is gone, not merely down. */
  exists: (name: string) => boolean;
  /** False while the operator has chosen interfaces, or capture is stopped. */
  isWanted: () => boolean;
  log: Logger;
}

/**
 * Adds interfaces that appear after the start, while none is chosen in the configuration or the console. One that goes
 * away stays on the list, its source waits for it, until its place is needed.
 */
export class InterfaceFollower {
  private readonly deps: FollowDeps;
  private readonly refused = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  private busy = false;

  constructor(deps: FollowDeps) {
    this.deps = deps;
  }

  start(): void {
    this.timer = setInterval(() => void this.look(), LOOK_EVERY_MS);
  }

  close(): void {
    clearInterval(this.timer);
  }

  /** Looks once; called by the clock. */
  async look(): Promise<void> {
    const { live, present, exists, isWanted, log } = this.deps;
    if (this.busy || !isWanted()) return;
    this.busy = true;
    try {
      const names = present();
      for (const name of this.refused) if (!names.includes(name)) this.refused.delete(name);
      // Loopback is watched only while there is nothing else.
      const kept = live.interfaces.filter((name) => name !== 'lo' || names.includes(name));
      for (const name of names) {
        if (kept.includes(name) || this.refused.has(name)) continue;
        const gone = kept.length < MOST_INTERFACES ? -1 : kept.findIndex((other) => !exists(other));
        if (gone >= 0) kept.splice(gone, 1);
        if (kept.length >= MOST_INTERFACES) {
          this.refuse(name, `${MOST_INTERFACES} interfaces are watched already; choose those that matter`);
          continue;
        }
        try {
          await live.setInterfaces([...kept, name]);
          kept.push(name);
          log.info({ interface: name }, 'An interface appeared.');
        } catch (error) {
          this.refuse(name, errorMessage(error));
        }
      }
    } finally {
      this.busy = false;
    }
  }

  /** Said once, until the interface goes away. */
  private refuse(name: string, why: string): void {
    this.refused.add(name);
    this.deps.log.warn({ interface: name, err: why }, 'An interface that appeared is not watched.');
  }
}
