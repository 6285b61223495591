import type { AllowEntry, Decision, EnforcementReport, ProtectedEntry } from '../domain/decision.js';
import { parseCidr, type Cidr } from '../util/ip.js';
import { LatencyHistogram } from '../util/latency-histogram.js';
import type { Core } from './core.js';
import { ExpiryQueue } from './expiry.js';
import { ChangeRate, refuseDecision, type GuardState } from './guard.js';
import { keepDecision, type JournalRecord, type KeptDecision } from './journal-record.js';
import type { ElementOp } from './ledger.js';
import { planDecision } from './planner.js';

/** A decision in force. */
export interface ActiveDecision {
  kept: KeptDecision;
  simulated: boolean;
  /** Monotonic milliseconds; Infinity = until revoked. */
  deadlineMs: number;
  set: string;
  note: string | undefined;
  /** Simulated because the rate of change limit had tripped. */
  heldBack: boolean;
  applied: boolean;
  /** The list of the server that had it last. */
  list: symbol | undefined;
}

/** What is exempt now, for the guard. */
export interface Exemptions {
  protected: readonly { network: Cidr; entry: ProtectedEntry }[];
  allowed: readonly { network: Cidr; entry: AllowEntry }[];
}

/** What only counts may take this share of the elements: real blocks always find room. */
const SIMULATED_SHARE = 0.25;

type Outcome = Pick<EnforcementReport, 'enforcement' | 'set' | 'error' | 'note'> & { kernelUs?: number };

/** Decisions from arrival to end: guard, plan, kernel, journal, report. */
export class DecisionBook {
  private readonly core: Core;
  private readonly exemptions: () => Exemptions;
  private readonly active = new Map<string, ActiveDecision>();
  private readonly expiry = new ExpiryQueue();
  private readonly quarantined = new Set<string>();
  /** Decisions in force that only count. */
  private simulatedCount = 0;
  readonly rate: ChangeRate;
  /** From receipt to the kernel's acknowledgement. */
  readonly latency = new LatencyHistogram();
  /** Journal records and reports of the transaction that has just ended: written in that order by {@link flushOutbox}. */
  private outRecords: JournalRecord[] = [];
  private reports: EnforcementReport[] = [];
  /** The last decision that came: a list repeats its texts. */
  private last: KeptDecision | undefined;
  /** Decisions made before this were lifted by hand and must not come back. */
  flushedAtMs = 0;

  constructor(core: Core, exemptions: () => Exemptions) {
    this.core = core;
    this.exemptions = exemptions;
    this.rate = new ChangeRate(core.options.guard.max_changes_per_minute, core.options.guard.trip_secs * 1000);
  }

  get size(): number {
    return this.active.size;
  }

  get(id: string): ActiveDecision | undefined {
    return this.active.get(id);
  }

  entries(): IterableIterator<[string, ActiveDecision]> {
    return this.active.entries();
  }

  /** Judges, plans and applies one decision; a known id is a renewal. */
  decide(decision: Decision): void {
    const receivedUs = this.core.clock.us();
    const outcome = this.admit(this.keep(decision));
    if ('enforcement' in outcome) {
      this.report(decision, receivedUs, outcome, decision.simulated);
      return;
    }
    const { entry, ops } = outcome;
    this.core.pump.submit({
      ops,
      urgent: decision.origin !== 'feed',
      done: (error, kernelUs) => this.settle(decision, entry, { error, kernelUs, receivedUs }),
    });
  }

  /**
   * Judges and plans many, e.g. a part of the server's list, and applies them in one transaction. If the kernel refuses
   * one, each is tried alone, so that only that one fails.
   * @param list the list that they are part of
   */
  decideMany(decisions: readonly Decision[], list?: symbol): void {
    const receivedUs = this.core.clock.us();
    const refused: EnforcementReport[] = [];
    const admitted: { decision: Decision; entry: ActiveDecision; ops: ElementOp[] }[] = [];
    let urgent = false;
    for (const decision of decisions) {
      const outcome = this.admit(this.keep(decision));
      if ('enforcement' in outcome) {
        if (outcome.enforcement === 'rejected') this.core.counts.rejected += 1;
        refused.push(reportOf(decision, decision.simulated, { receivedUs }, outcome));
        continue;
      }
      outcome.entry.list = list;
      admitted.push({ decision, entry: outcome.entry, ops: outcome.ops });
      urgent ||= decision.origin !== 'feed';
    }
    this.emit(refused);
    if (admitted.length === 0) return;
    this.core.pump.submit({
      ops: admitted.flatMap((a) => a.ops),
      urgent,
      done: (error, kernelUs) => {
        for (const { decision, entry, ops } of admitted) {
          if (error === undefined) this.settle(decision, entry, { error, kernelUs, receivedUs });
          else {
            const done = (reason: string | undefined, us: number): void =>
              this.settle(decision, entry, { error: reason, kernelUs: us, receivedUs });
            this.core.pump.submit({ ops, urgent, done });
          }
        }
      },
    });
  }

  /** Puts a restored decision into the ledger without touching the kernel. @returns false when it is over or refused. */
  restore(kept: KeptDecision): boolean {
    const outcome = this.admit(kept, true);
    if ('enforcement' in outcome) return false;
    outcome.entry.applied = true;
    return true;
  }

  release(id: string, reason: string): void {
    const receivedUs = this.core.clock.us();
    const entry = this.forget(id);
    if (!entry) {
      this.emit([
        {
          decisionId: id,
          enforcement: 'revoked',
          simulated: false,
          error: 'was not in force',
          receivedUs,
          kernelUs: 0,
        },
      ]);
      return;
    }
    this.core.journal?.append([{ t: 'del', id }]);
    this.core.pump.submit({
      ops: this.core.ledger.drop(id),
      urgent: true,
      done: (error, kernelUs) => {
        this.core.counts.revoked += 1;
        const what: Outcome = {
          enforcement: 'revoked',
          set: entry.set,
          kernelUs,
          ...(error === undefined ? {} : { error }),
        };
        this.reports.push(reportOf(entry.kept, entry.simulated, { receivedUs }, what));
        this.core.log.info({ decisionId: id, value: entry.kept.value, reason }, 'decision released');
      },
    });
  }

  /** Reports decisions whose time has come; the kernel has dropped their elements by itself. */
  expire(): void {
    const nowMs = this.core.clock.monoMs();
    const reports: EnforcementReport[] = [];
    const records: JournalRecord[] = [];
    for (const id of this.expiry.takeDue(nowMs)) {
      const entry = this.active.get(id);
      if (!entry || entry.deadlineMs > nowMs) continue;
      this.forget(id);
      this.core.ledger.drop(id);
      this.core.counts.expired += 1;
      records.push({ t: 'del', id });
      reports.push(
        reportOf(entry.kept, entry.simulated, { receivedUs: 0 }, { enforcement: 'expired', set: entry.set }),
      );
    }
    this.core.journal?.append(records);
    this.emit(reports);
  }

  /** After each transaction: first the journal, then the reports, so that what was reported survives a crash. */
  flushOutbox(): void {
    const { outRecords, reports } = this;
    this.outRecords = [];
    this.reports = [];
    this.core.journal?.append(outRecords);
    this.emit(reports);
  }

  /** Forgets everything; the caller empties the kernel. @returns what was in force. */
  clear(): ActiveDecision[] {
    const all = [...this.active.values()];
    for (const id of this.active.keys()) this.core.ledger.drop(id);
    this.active.clear();
    this.simulatedCount = 0;
    this.expiry.clear();
    this.quarantined.clear();
    return all;
  }

  /** Reports many ends at once, after {@link clear}. */
  reportRevoked(entries: readonly ActiveDecision[], error: string): void {
    this.core.counts.revoked += entries.length;
    const kernelUs = this.core.clock.us();
    this.emit(
      entries.map((e) =>
        reportOf(e.kept, e.simulated, { receivedUs: 0 }, { enforcement: 'revoked', set: e.set, error, kernelUs }),
      ),
    );
  }

  /** Everything in force as journal records. */
  *records(): Generator<JournalRecord> {
    for (const { kept } of this.active.values()) yield { t: 'put', d: kept };
  }

  private keep(decision: Decision): KeptDecision {
    this.last = keepDecision(decision, this.last);
    return this.last;
  }

  private admit(decision: KeptDecision, isRestore = false): Outcome | { entry: ActiveDecision; ops: ElementOp[] } {
    const { core } = this;
    const remainingMs = this.remainingMs(decision);
    if (remainingMs <= 0) return { enforcement: 'expired' };
    if (decision.createdMs <= this.flushedAtMs) {
      return { enforcement: 'revoked', error: 'lifted by hand with "portcullis decision flush"' };
    }
    const known = this.active.get(decision.id);
    const network = parseCidr(decision.value);
    const refused = refuseDecision(decision, this.guardState(known), core.options, network);
    if (refused !== undefined) return this.refuse(decision, refused);
    const held = known || isRestore ? undefined : this.holdBack(decision);
    const simulated =
      decision.simulated || (known?.heldBack ?? false) || !core.options.allow_enforce || held !== undefined;
    const plan = planDecision(decision, core.options, simulated, network);
    if ('refused' in plan) return this.refuse(decision, plan.refused);
    if (simulated && !known && this.simulatedCount >= core.options.guard.max_elements * SIMULATED_SHARE) {
      return this.refuse(
        decision,
        `${this.simulatedCount} decisions are only counted, the most allowed beside real ones`,
      );
    }
    const room = core.options.guard.max_elements - core.ledger.size;
    if (!known && plan.elements.length > room) return this.refuse(decision, `only ${room} more elements are allowed`);
    const deadlineMs = remainingMs === Infinity ? Infinity : core.clock.monoMs() + remainingMs;
    const entry: ActiveDecision = {
      kept: decision,
      simulated: simulated || core.backend.name === 'dry-run',
      deadlineMs,
      set: plan.elements[0]?.set ?? '',
      note: held ?? plan.note,
      heldBack: held !== undefined || (known?.heldBack ?? false),
      applied: known?.applied ?? false,
      list: known?.list,
    };
    if (known && this.isCounted(known)) this.simulatedCount -= 1;
    if (this.isCounted(entry)) this.simulatedCount += 1;
    this.active.set(decision.id, entry);
    if (isQuarantine(decision)) this.quarantined.add(decision.id);
    this.expiry.push(decision.id, deadlineMs);
    return { entry, ops: core.ledger.hold(decision.id, plan.elements, deadlineMs) };
  }

  private refuse(decision: KeptDecision, error: string): Outcome {
    if (this.active.has(decision.id)) this.core.log.warn({ decisionId: decision.id, error }, 'renewal refused');
    return { enforcement: 'rejected', error };
  }

  /** The rate of change limit; feeds are bounded by the number of elements, operators by nothing. */
  private holdBack(decision: KeptDecision): string | undefined {
    if (decision.origin === 'operator' || decision.origin === 'feed') return undefined;
    const { guard } = this.core.options;
    const { tripped, now } = this.rate.count(this.core.clock.monoMs());
    if (!tripped) return undefined;
    if (now) {
      this.core.emit.incident({
        severity: 'critical',
        code: 'enforce.rate_tripped',
        message: `More than ${guard.max_changes_per_minute} decisions in a minute: new ones are only simulated for ${guard.trip_secs} s.`,
        details: { limit: guard.max_changes_per_minute, tripSecs: guard.trip_secs, value: decision.value },
      });
    }
    return `simulated: more than ${guard.max_changes_per_minute} decisions in a minute`;
  }

  private remainingMs(decision: KeptDecision): number {
    const { createdMs, expiresMs, durationSecs } = decision;
    const endMs = expiresMs > 0 ? expiresMs : durationSecs > 0 ? createdMs + durationSecs * 1000 : Infinity;
    if (endMs === Infinity) return Infinity;
    const longest = this.core.options.guard.longest_duration_secs * 1000;
    return Math.min(endMs - this.core.clock.wallMs(), longest);
  }

  private guardState(known: ActiveDecision | undefined): GuardState {
    const { protected: kept, allowed } = this.exemptions();
    return {
      protected: kept,
      allowed,
      elements: known ? 0 : this.core.ledger.size,
      quarantined: known ? 0 : this.quarantined.size,
    };
  }

  private settle(
    decision: Decision,
    entry: ActiveDecision,
    result: { error: string | undefined; kernelUs: number; receivedUs: number },
  ): void {
    const { error, kernelUs, receivedUs } = result;
    const isCurrent = this.active.get(decision.id) === entry;
    if (error !== undefined) {
      this.core.counts.failed += 1;
      if (isCurrent) {
        this.forget(decision.id);
        this.core.pump.submit({ ops: this.core.ledger.drop(decision.id), urgent: true, done: () => undefined });
        this.outRecords.push({ t: 'del', id: decision.id });
      }
      this.reports.push(
        reportOf(decision, entry.simulated, { receivedUs }, { enforcement: 'failed', error, kernelUs }),
      );
      return;
    }
    entry.applied = true;
    // Released, renewed or lifted while it waited: that has been or will be reported.
    if (!isCurrent) return;
    this.outRecords.push({ t: 'put', d: entry.kept });
    if (!entry.simulated && decision.origin !== 'feed') this.core.connections?.blocked(entry.kept);
    this.core.counts[entry.simulated ? 'simulated' : 'applied'] += 1;
    const us = kernelUs > 0 ? kernelUs : this.core.clock.us();
    this.latency.add(us - receivedUs);
    const what: Outcome = { enforcement: 'applied', set: entry.set, kernelUs: us };
    const outcome = entry.note === undefined ? what : { ...what, note: entry.note };
    this.reports.push(reportOf(decision, entry.simulated, { receivedUs }, outcome));
  }

  private isCounted(entry: ActiveDecision): boolean {
    return entry.simulated || entry.kept.action === 'watch';
  }

  private forget(id: string): ActiveDecision | undefined {
    const entry = this.active.get(id);
    if (entry && this.isCounted(entry)) this.simulatedCount -= 1;
    this.active.delete(id);
    this.quarantined.delete(id);
    return entry;
  }

  private report(decision: { id: string }, receivedUs: number, outcome: Outcome, simulated: boolean): void {
    if (outcome.enforcement === 'rejected') this.core.counts.rejected += 1;
    this.emit([reportOf(decision, simulated, { receivedUs }, outcome)]);
  }

  private emit(reports: EnforcementReport[]): void {
    if (reports.length > 0) this.core.emit.report(reports);
  }
}

function isQuarantine(decision: KeptDecision): boolean {
  return decision.traffic !== 'from' && decision.action === 'block' && parseCidr(decision.value) !== undefined;
}

function reportOf(
  decision: { id: string },
  simulated: boolean,
  at: { receivedUs: number },
  outcome: Outcome,
): EnforcementReport {
  const report: EnforcementReport = {
    decisionId: decision.id,
    enforcement: outcome.enforcement,
    simulated,
    receivedUs: at.receivedUs,
    kernelUs: outcome.kernelUs ?? 0,
  };
  if (outcome.set !== undefined && outcome.set !== '') report.set = outcome.set;
  if (outcome.error !== undefined) report.error = outcome.error;
  if (outcome.note !== undefined) report.note = outcome.note;
  return report;
}
