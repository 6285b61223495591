import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ApplyResult, KernelOp } from './backend/backend.js';
import type { ElementOp } from './ledger.js';

/** Operations that belong together, e.g. those of one decision. */
export interface PumpJob {
  ops: readonly ElementOp[];
  /** Feeds and restores wait for everything else. */
  urgent: boolean;
  /** @param error why an operation failed, undefined when all are in force. */
  done(error: string | undefined, kernelUs: number): void;
}

export interface PumpDeps {
  apply(ops: readonly KernelOp[]): Promise<ApplyResult>;
  /** The table is missing: load it again with everything the ledger holds. @returns the time of the kernel's answer. */
  rebuild(): Promise<number>;
  /** Monotonic milliseconds. */
  nowMs(): number;
  onError(error: unknown): void;
  /** What the ledger holds under this id now. */
  held(id: string): { deadlineMs: number; pending: number } | undefined;
  /** Every job of a transaction has been told. */
  afterBatch(): void;
}

const URGENT_PER_BATCH = 1000;
const BULK_PER_BATCH = 500;
/** Transactions a window may start; above that rate, jobs share one. */
const TRANSACTIONS_PER_WINDOW = 10;

/**
 * One kernel transaction at a time. An urgent job starts at once when nothing runs; when a window has had its
 * transactions, jobs wait and share the next (each commit makes other programs' ruleset dumps restart).
 */
export class Pump {
  private readonly deps: PumpDeps;
  private readonly windowMs: number;
  private readonly urgent: PumpJob[] = [];
  private readonly bulk: PumpJob[] = [];
  private readonly exclusive: (() => Promise<void>)[] = [];
  private running = false;
  private timer: NodeJS.Timeout | undefined;
  private tokens = TRANSACTIONS_PER_WINDOW;
  private tokensAtMs = 0;
  /** Elements that the ledger has let go of and that wait to be deleted. */
  private readonly deleting = new Map<string, number>();
  transactions = 0;

  constructor(windowMs: number, deps: PumpDeps) {
    this.windowMs = windowMs;
    this.deps = deps;
  }

  get queued(): number {
    return this.urgent.length + this.bulk.length;
  }

  /** True while a change of this element waits for its transaction. */
  isPending(elementId: string): boolean {
    return (this.deps.held(elementId)?.pending ?? 0) > 0 || this.deleting.has(elementId);
  }

  submit(job: PumpJob): void {
    for (const op of job.ops) this.count(op, 1);
    (job.urgent ? this.urgent : this.bulk).push(job);
    this.kick();
  }

  /** Runs an action between transactions. */
  run<T>(action: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.exclusive.push(() => action().then(resolve, reject));
      this.kick();
    });
  }

  /** Resolves when everything submitted so far is done. */
  async idle(): Promise<void> {
    while (this.running || this.queued > 0 || this.exclusive.length > 0) await nextTurn();
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private kick(): void {
    if (this.running || this.timer) return;
    const waitMs = this.exclusive.length > 0 ? 0 : this.paceMs();
    if (waitMs <= 0) {
      void this.drain();
      return;
    }
    this.timer = setTimeout(() => {
      this.timer = undefined;
      void this.drain();
    }, waitMs);
  }

  private async drain(): Promise<void> {
    this.running = true;
    try {
      for (;;) {
        const action = this.exclusive.shift();
        if (action) {
          await action();
          continue;
        }
        if (this.queued === 0 || (this.urgent.length > 0 && this.paceMs() > 0)) break;
        if (this.urgent.length > 0) this.tokens -= 1;
        await this.transact(this.take());
        if (this.urgent.length === 0 && this.bulk.length > 0) await nextTurn();
      }
    } finally {
      this.running = false;
    }
    if (this.queued > 0 || this.exclusive.length > 0) this.kick();
  }

  /** Milliseconds until the next urgent transaction may start. */
  private paceMs(): number {
    if (this.urgent.length === 0) return 0;
    const nowMs = this.deps.nowMs();
    const refill = ((nowMs - this.tokensAtMs) / this.windowMs) * TRANSACTIONS_PER_WINDOW;
    this.tokens = Math.min(TRANSACTIONS_PER_WINDOW, this.tokens + refill);
    this.tokensAtMs = nowMs;
    return this.tokens >= 1 ? 0 : this.windowMs;
  }

  private take(): PumpJob[] {
    const jobs: PumpJob[] = [];
    let ops = 0;
    const [queue, most] = this.urgent.length > 0 ? [this.urgent, URGENT_PER_BATCH] : [this.bulk, BULK_PER_BATCH];
    let n = 0;
    while (n < queue.length && (n === 0 || ops + queue[n]!.ops.length <= most)) ops += queue[n++]!.ops.length;
    jobs.push(...queue.splice(0, n));
    return jobs;
  }

  private async transact(jobs: readonly PumpJob[]): Promise<void> {
    const owners: PumpJob[] = [];
    const ops: KernelOp[] = [];
    const nowMs = this.deps.nowMs();
    for (const job of jobs) {
      for (const op of job.ops) {
        const current = this.currentOp(op, nowMs);
        if (!current) continue;
        owners.push(job);
        ops.push(current);
      }
    }
    const errors = new Map<PumpJob, string>();
    let kernelUs = 0;
    try {
      const result = ops.length > 0 ? await this.deps.apply(ops) : undefined;
      this.transactions += 1;
      kernelUs = result?.kernelUs ?? 0;
      if (result?.tableGone) kernelUs = await this.deps.rebuild();
      for (const [index, reason] of result?.failed ?? []) errors.set(owners[index]!, reason);
    } catch (error) {
      this.deps.onError(error);
      const reason = error instanceof Error ? error.message : String(error);
      for (const job of jobs) errors.set(job, reason);
    }
    for (const job of jobs) for (const op of job.ops) this.count(op, -1);
    for (const job of jobs) job.done(errors.get(job), kernelUs);
    this.deps.afterBatch();
  }

  /** The ledger may have moved on while the operation waited: what counts is what it holds now. */
  private currentOp({ kind, id, element }: ElementOp, nowMs: number): KernelOp | undefined {
    const held = this.deps.held(id);
    if (!held) return kind === 'delete' ? { kind, element, timeoutMs: 0 } : undefined;
    const timeoutMs = held.deadlineMs === Infinity ? 0 : Math.max(1, held.deadlineMs - nowMs);
    return { kind: kind === 'delete' ? 'update' : kind, element, timeoutMs };
  }

  private count({ kind, id, held }: ElementOp, by: 1 | -1): void {
    if (kind !== 'delete') {
      held.pending += by;
      return;
    }
    const left = (this.deleting.get(id) ?? 0) + by;
    if (left > 0) this.deleting.set(id, left);
    else this.deleting.delete(id);
  }
}
