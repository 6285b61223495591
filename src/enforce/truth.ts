import type { ForeignChange, KernelOp } from './backend/backend.js';
import type { Core } from './core.js';
import { elementId, type SetElement } from './element.js';

const LOOKUPS_PER_TURN = 512;
/** With more elements changed than this, loading the table again is quicker. */
const REPLACE_ABOVE = 5000;
const SAMPLE_EVERY_MS = 1000;
/** More heals than this within a minute mean that another program fights for the table. */
const CONTENDED_HEALS = 10;
/** An element this close to its end is not missed. */
const ENDING_MS = 1000;

/**
 * Keeps the kernel what the ledger says. Changes by others are seen within `truth_interval_ms`; besides, single
 * elements are looked up in turn, a few a second. No set is ever listed.
 */
export class Truth {
  private readonly core: Core;
  private readonly rebuild: (why: string) => Promise<void>;
  private cursor: IterableIterator<[string, { element: SetElement; deadlineMs: number }]> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private nextSampleMs = 0;
  private busy = false;
  private healTimes: number[] = [];
  private holdOffUntilMs = 0;

  /** @param rebuild loads the whole table again, between transactions. */
  constructor(core: Core, rebuild: (why: string) => Promise<void>) {
    this.core = core;
    this.rebuild = rebuild;
  }

  start(): void {
    this.timer = setInterval(() => void this.check(), this.core.options.truth_interval_ms);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** One round: changes by others, then samples when it is time. */
  async check(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    try {
      const changes = this.core.backend.foreignChanges?.(this.core.layout) ?? [];
      const nowMs = this.core.clock.monoMs();
      if (changes.length > 0) await this.onChanges(changes);
      if (nowMs >= this.nextSampleMs) {
        this.nextSampleMs = nowMs + SAMPLE_EVERY_MS;
        await this.sample();
      }
    } catch (error) {
      this.core.log.error({ error: String(error) }, 'the kernel could not be compared');
    } finally {
      this.busy = false;
    }
  }

  private async onChanges(changes: readonly ForeignChange[]): Promise<void> {
    const first = changes[0]!;
    const text = changes.length === 1 ? first.text : `${first.text} and ${changes.length - 1} more changes`;
    const touched = changes.flatMap((c) => c.elements ?? []);
    if (changes.some((c) => c.kind !== 'element') || touched.length > REPLACE_ABOVE) {
      await this.heal(text);
      return;
    }
    const unique = new Map(touched.map((e) => [elementId(e), e]));
    await this.core.pump.run(async () => {
      const healed = await this.settle([...unique.values()]);
      if (healed > 0) this.tell(text, healed);
    });
  }

  /** Looks some elements up, in turn, and whether the chains are what we loaded. */
  private async sample(): Promise<void> {
    const { core } = this;
    const isPresent = await core.pump.run(() => core.backend.isPresent(core.layout));
    if (!isPresent) {
      await this.heal('the table or its rules are gone');
      return;
    }
    const elements = this.nextElements(core.backend.name === 'nft' ? 4 : core.options.truth_samples);
    if (elements.length === 0) return;
    await core.pump.run(async () => {
      const healed = await this.settle(elements);
      if (healed > 0) this.tell('sampled elements were not in the kernel', healed);
    });
  }

  /** Compares these elements with the ledger and corrects the kernel. @returns how many were wrong. */
  private async settle(elements: readonly SetElement[]): Promise<number> {
    const { core } = this;
    const ops: KernelOp[] = [];
    const nowMs = core.clock.monoMs();
    for (let i = 0; i < elements.length; i += LOOKUPS_PER_TURN) {
      const part = elements.slice(i, i + LOOKUPS_PER_TURN);
      const found = await core.backend.lookup(core.layout, part);
      for (const [j, element] of part.entries()) {
        if (core.pump.isPending(elementId(element))) continue;
        const want = core.ledger.get(elementId(element));
        const isThere = found[j] !== undefined;
        if (want && !isThere && want.deadlineMs - nowMs > ENDING_MS) {
          const timeoutMs = want.deadlineMs === Infinity ? 0 : want.deadlineMs - nowMs;
          ops.push({ kind: 'add', element, timeoutMs });
        } else if (!want && isThere) ops.push({ kind: 'delete', element, timeoutMs: 0 });
      }
    }
    if (ops.length === 0) return 0;
    for (const op of ops) if (op.kind === 'add') core.missing.add(elementId(op.element));
    const result = await core.backend.apply(core.layout, ops);
    if (result.tableGone) throw new Error('the table is gone');
    for (const [i, op] of ops.entries()) if (!result.failed.has(i)) core.missing.delete(elementId(op.element));
    return ops.length;
  }

  private async heal(why: string): Promise<void> {
    const nowMs = this.core.clock.monoMs();
    if (nowMs < this.holdOffUntilMs) return;
    this.healTimes = this.healTimes.filter((t) => nowMs - t < 60_000);
    this.healTimes.push(nowMs);
    if (this.healTimes.length > CONTENDED_HEALS) {
      this.holdOffUntilMs = nowMs + 5000;
      this.core.emit.incident({
        severity: 'critical',
        code: 'enforce.contended',
        message: 'Another program keeps changing our nftables table: it is restored every 5 s only.',
        details: { why, heals: this.healTimes.length },
      });
    }
    await this.rebuild(why);
    this.tell(why, this.core.ledger.size);
  }

  private tell(why: string, elements: number): void {
    this.core.counts.healed += elements;
    this.core.emit.incident({
      severity: 'high',
      code: 'enforce.drift',
      message: `The kernel did not hold what it should and was corrected: ${why}.`,
      details: { why, elements },
    });
  }

  private nextElements(most: number): SetElement[] {
    const out: SetElement[] = [];
    for (let tries = 0; out.length < Math.min(most, this.core.ledger.size) && tries < 2;) {
      this.cursor ??= this.core.ledger.entries();
      const next = this.cursor.next();
      if (next.done === true) {
        this.cursor = undefined;
        tries += 1;
        continue;
      }
      out.push(next.value[1].element);
    }
    return out;
  }
}
