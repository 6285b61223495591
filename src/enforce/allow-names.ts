import { lookup } from 'node:dns/promises';
import type { AllowEntry } from '../domain/decision.js';
import { canonicalAddress, parseCidr } from '../util/ip.js';
import type { Logger } from '../util/logger.js';

const RESOLVE_EVERY_MS = 60_000;
/** A name of which nothing is known yet is asked for again sooner: after this long, then twice as long each time. */
const RETRY_MS = 1000;
/** An address that a name no longer has stays allowed for this long: dynamic DNS changes before people move. */
const KEEP_MS = 3_600_000;
/** Names beyond this are not resolved, addresses of one name beyond this are forgotten, the longest unseen first. */
const MAX_NAMES = 256;
const MAX_ADDRESSES = 64;
const AT_ONCE = 4;

export type Resolve = (name: string) => Promise<string[]>;

const resolveName: Resolve = async (name) => (await lookup(name, { all: true })).map((a) => a.address);

export interface AllowNamesDeps {
  log: Logger;
  /** Entries with addresses and prefixes only: what is allowed now. */
  onResolved(entries: AllowEntry[]): void;
  resolve?: Resolve;
  /** Monotonic milliseconds. */
  nowMs?: () => number;
}

/**
 * Turns allow entries with DNS names into addresses, again every minute, sooner while nothing is known of one. An address that vanished from DNS stays for an
 * hour, and while a name cannot be resolved it keeps all its addresses: losing DNS must not lock anybody out.
 */
export class AllowNames {
  private readonly deps: AllowNamesDeps;
  private readonly resolve: Resolve;
  private readonly nowMs: () => number;
  /** Names that could not be resolved the last time. */
  private readonly failing = new Set<string>();
  private readonly seen = new Map<string, Map<string, number>>();
  private current: readonly AllowEntry[] = [];
  private told = '';
  private timer: NodeJS.Timeout | undefined;
  private retry: NodeJS.Timeout | undefined;
  private retryMs = RETRY_MS;

  constructor(deps: AllowNamesDeps) {
    this.deps = deps;
    this.resolve = deps.resolve ?? resolveName;
    this.nowMs = deps.nowMs ?? (() => performance.now());
  }

  /** Entries as given, names unresolved. */
  entries(): AllowEntry[] {
    return [...this.current];
  }

  /** What the names stand for, to seed another run with. */
  known(): Record<string, string[]> {
    return Object.fromEntries([...this.seen].map(([name, addresses]) => [name, [...addresses.keys()]]));
  }

  /** Addresses that an earlier run knew: they count as seen now, so that a start without DNS allows what was allowed. */
  seed(known: Readonly<Record<string, readonly string[]>>): void {
    for (const [name, addresses] of Object.entries(known)) {
      const map = this.seen.get(name) ?? new Map<string, number>();
      for (const address of addresses.slice(0, MAX_ADDRESSES)) map.set(address, this.nowMs());
      this.seen.set(name, map);
    }
  }

  /** Addresses and prefixes take effect at once, names when they are resolved. */
  async set(entries: readonly AllowEntry[]): Promise<void> {
    this.current = entries;
    const names = new Set(this.names());
    for (const name of this.seen.keys()) if (!names.has(name)) this.seen.delete(name);
    this.tell();
    if (names.size === 0) {
      this.stop();
      return;
    }
    if (!this.timer) {
      this.timer = setInterval(() => void this.refresh(), RESOLVE_EVERY_MS);
      this.timer.unref();
    }
    this.retryMs = RETRY_MS;
    await this.refresh();
  }

  stop(): void {
    clearInterval(this.timer);
    clearTimeout(this.retry);
    this.timer = this.retry = undefined;
  }

  /** Asks for every name. */
  async refresh(): Promise<void> {
    const names = this.names();
    if (names.length === MAX_NAMES) this.deps.log.warn({ max: MAX_NAMES }, 'the allowlist has too many names');
    for (let i = 0; i < names.length; i += AT_ONCE) {
      await Promise.all(names.slice(i, i + AT_ONCE).map((name) => this.refreshOne(name)));
    }
    this.tell();
    if (names.some((name) => this.seen.get(name)?.size === 0)) this.retryLater();
  }

  private retryLater(): void {
    if (!this.timer || this.retry || this.retryMs >= RESOLVE_EVERY_MS) return;
    this.retry = setTimeout(() => {
      this.retry = undefined;
      void this.refresh();
    }, this.retryMs);
    this.retry.unref();
    this.retryMs *= 2;
  }

  private async refreshOne(name: string): Promise<void> {
    const known = this.seen.get(name) ?? new Map<string, number>();
    this.seen.set(name, known);
    let addresses: string[];
    try {
      addresses = await this.resolve(name);
    } catch (error) {
      // Told once: a name that is gone for good is asked for every minute.
      if (!this.failing.has(name))
        this.deps.log.warn({ name, error: String(error) }, 'a name cannot be resolved; it keeps its addresses');
      this.failing.add(name);
      return;
    }
    if (this.failing.delete(name)) this.deps.log.info({ name }, 'a name can be resolved again');
    const nowMs = this.nowMs();
    for (const text of addresses) {
      const address = canonicalAddress(text);
      if (address === undefined) continue;
      known.delete(address);
      known.set(address, nowMs);
    }
    for (const [address, atMs] of known) {
      if (nowMs - atMs > KEEP_MS || known.size > MAX_ADDRESSES) known.delete(address);
    }
  }

  private names(): string[] {
    const names = new Set(this.current.flatMap((e) => (parseCidr(e.value) ? [] : [e.value])));
    return [...names].slice(0, MAX_NAMES);
  }

  private tell(): void {
    const entries = this.expand();
    const text = JSON.stringify(entries);
    if (text === this.told) return;
    this.told = text;
    this.deps.onResolved(entries);
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
