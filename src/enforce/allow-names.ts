import { lookup } from 'node:dns/promises';
import type { AllowEntry } from '../domain/decision.js';
import { parseCidr } from '../util/ip.js';
import type { Logger } from '../util/logger.js';

const RESOLVE_EVERY_MS = 60_000;
/** An address that a name no longer has stays allowed for this long: dynamic DNS changes before people move. */
const KEEP_MS = 3_600_000;

export type Resolve = (name: string) => Promise<string[]>;

const resolveName: Resolve = async (name) => (await lookup(name, { all: true })).map((a) => a.address);

/** Turns allow entries with DNS names into addresses, again every minute. */
export class AllowNames {
  private readonly log: Logger;
  private readonly onResolved: (entries: AllowEntry[]) => void;
  private readonly resolve: Resolve;
  private readonly seen = new Map<string, Map<string, number>>();
  private current: readonly AllowEntry[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(log: Logger, onResolved: (entries: AllowEntry[]) => void, resolve: Resolve = resolveName) {
    this.log = log;
    this.onResolved = onResolved;
    this.resolve = resolve;
  }

  /** Entries as given, names unresolved. */
  entries(): AllowEntry[] {
    return [...this.current];
  }

  /** Addresses and prefixes take effect at once, names when they are resolved. */
  async set(entries: readonly AllowEntry[], nowMs: number = performance.now()): Promise<void> {
    this.current = entries;
    this.onResolved(this.expand());
    const hasNames = entries.some((e) => !parseCidr(e.value));
    if (hasNames) await this.refresh(nowMs);
    if (hasNames && !this.timer) {
      this.timer = setInterval(() => void this.refresh(performance.now()), RESOLVE_EVERY_MS);
      this.timer.unref();
    }
    if (!hasNames) this.stop();
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** Asks for every name; a name that cannot be resolved keeps its addresses. */
  async refresh(nowMs: number): Promise<void> {
    for (const name of new Set(this.current.flatMap((e) => (parseCidr(e.value) ? [] : [e.value])))) {
      const known = this.seen.get(name) ?? new Map<string, number>();
      this.seen.set(name, known);
      try {
        for (const address of await this.resolve(name)) known.set(address, nowMs);
        for (const [address, atMs] of known) if (nowMs - atMs > KEEP_MS) known.delete(address);
      } catch (error) {
        this.log.warn({ name, error: String(error) }, 'an allowed name cannot be resolved');
      }
    }
    this.onResolved(this.expand());
  }

  private expand(): AllowEntry[] {
    return this.current.flatMap((entry) => {
      if (parseCidr(entry.value)) return [entry];
      return [...(this.seen.get(entry.value)?.keys() ?? [])].map((value) => ({
        ...entry,
        value,
        comment: `${entry.comment} (${entry.value})`,
      }));
    });
  }
}
