import type { Core } from './core.js';
import type { DecisionBook } from './decisions.js';
import type { SetElement } from './element.js';

const HOT_MS = 60_000;

interface Known {
  packets: number;
  bytes: number;
  /** Kernel values last read; they start again at 0 when the element was added anew. */
  lastPackets: number;
  lastBytes: number;
}

/**
 * Packets and bytes stopped by each block. Counters are read one element at a time and a bounded number each cycle:
 * those that counted lately first, the rest in turn.
 */
export class HitReader {
  private readonly core: Core;
  private readonly book: DecisionBook;
  private readonly known = new Map<string, Known>();
  private readonly hot = new Map<string, number>();
  private cursor: IterableIterator<string> | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(core: Core, book: DecisionBook) {
    this.core = core;
    this.book = book;
  }

  start(): void {
    this.timer = setInterval(() => void this.read(), this.core.options.hits_interval_secs * 1000);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** One cycle; emits the decisions whose counters grew. */
  async read(): Promise<void> {
    const { core } = this;
    if (core.backend.name !== 'netlink' || core.options.hits_per_cycle === 0) return;
    const ids = this.pick();
    const elements: SetElement[] = [];
    const owners: string[] = [];
    for (const id of ids) {
      for (const elementId of core.ledger.elementsOf(id)) {
        const held = core.ledger.get(elementId);
        if (!held || elements.length >= core.options.hits_per_cycle) continue;
        elements.push(held.element);
        owners.push(id);
      }
    }
    if (elements.length === 0) return;
    try {
      const states = await core.pump.run(() => core.backend.lookup(core.layout, elements));
      const sums = new Map<string, { packets: number; bytes: number }>();
      for (const [i, state] of states.entries()) {
        const sum = sums.get(owners[i]!) ?? { packets: 0, bytes: 0 };
        sums.set(owners[i]!, { packets: sum.packets + (state?.packets ?? 0), bytes: sum.bytes + (state?.bytes ?? 0) });
      }
      this.tell(sums);
    } catch (error) {
      core.log.warn({ error: String(error) }, 'block counters could not be read');
    }
  }

  private tell(sums: ReadonlyMap<string, { packets: number; bytes: number }>): void {
    const nowMs = this.core.clock.monoMs();
    const changed: { decisionId: string; packets: number; bytes: number }[] = [];
    for (const [id, sum] of sums) {
      const k = this.known.get(id) ?? { packets: 0, bytes: 0, lastPackets: 0, lastBytes: 0 };
      const restarted = sum.packets < k.lastPackets;
      const packets = restarted ? sum.packets : sum.packets - k.lastPackets;
      const bytes = restarted ? sum.bytes : sum.bytes - k.lastBytes;
      k.lastPackets = sum.packets;
      k.lastBytes = sum.bytes;
      if (packets > 0) {
        k.packets += packets;
        k.bytes += bytes;
        this.known.set(id, k);
        this.hot.set(id, nowMs);
        changed.push({ decisionId: id, packets: k.packets, bytes: k.bytes });
      }
    }
    if (changed.length > 0) this.core.emit.hits(changed);
  }

  private pick(): Set<string> {
    const nowMs = this.core.clock.monoMs();
    const most = this.core.options.hits_per_cycle;
    const ids = new Set<string>();
    for (const [id, atMs] of this.hot) {
      if (nowMs - atMs > HOT_MS || !this.book.get(id)) this.hot.delete(id);
      else if (ids.size < most / 2) ids.add(id);
    }
    for (const id of this.known.keys()) if (!this.book.get(id)) this.known.delete(id);
    for (let wraps = 0; ids.size < most && wraps < 2;) {
      this.cursor ??= this.book.singleIds();
      const next = this.cursor.next();
      if (next.done === true) {
        this.cursor = undefined;
        wraps += 1;
      } else ids.add(next.value);
    }
    return ids;
  }
}
