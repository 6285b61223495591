import type { Decision, EnforcementReport } from '../domain/decision.js';
import { LatencyHistogram } from '../util/latency-histogram.js';
import { ActiveDecisions, type ActiveDecision } from './active.js';
import { Admission, type Exemptions, type Outcome } from './admission.js';
import type { Core } from './core.js';
import type { ChangeRate } from './guard.js';
import { keepDecision, type JournalRecord, type KeptDecision } from './journal-record.js';
import type { ElementOp } from './ledger.js';

/** Decisions from arrival to end: guard, plan, kernel, journal, report. */
export class DecisionBook {
  private readonly core: Core;
  private readonly active = new ActiveDecisions();
  private readonly admission: Admission;
  /** From receipt to the kernel's acknowledgement. */
  readonly latency = new LatencyHistogram();
  /** Journal records and reports of the transaction that has just ended: written in that order by {@link flushOutbox}. */
  private outRecords: JournalRecord[] = [];
  private reports: EnforcementReport[] = [];
  /** The last decision that came: a list repeats its texts. */
  private last: KeptDecision | undefined;
  constructor(core: Core, exemptions: () => Exemptions) {
    this.core = core;
    this.admission = new Admission(core, this.active, exemptions);
  }

  get size(): number {
    return this.active.size;
  }

  /** Decisions that should be in force, and how many of them the kernel has not acknowledged yet. */
  get progress(): { desired: number; unapplied: number } {
    return { desired: this.active.desired, unapplied: this.active.unapplied };
  }

  get rate(): ChangeRate {
    return this.admission.rate;
  }

  /** Decisions made before this were lifted by hand and must not come back. */
  get flushedAtMs(): number {
    return this.admission.flushedAtMs;
  }

  set flushedAtMs(atMs: number) {
    this.admission.flushedAtMs = atMs;
  }

  get(id: string): ActiveDecision | undefined {
    return this.active.get(id);
  }

  entries(): IterableIterator<[string, ActiveDecision]> {
    return this.active.entries();
  }

  /** Ids of the decisions that no feed asked for. */
  singleIds(): IterableIterator<string> {
    return this.active.singleIds();
  }

  /** Judges, plans and applies one decision; a known id is a renewal. */
  decide(decision: Decision): void {
    const receivedUs = this.core.clock.us();
    const outcome = this.admission.admit(this.keep(decision));
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
      const outcome = this.admission.admit(this.keep(decision));
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
    const outcome = this.admission.admit(kept, true);
    if ('enforcement' in outcome) return false;
    this.active.markApplied(outcome.entry);
    return true;
  }

  release(id: string, reason: string): void {
    const receivedUs = this.core.clock.us();
    const entry = this.active.remove(id);
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
      urgent: entry.kept.origin !== 'feed',
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
    for (const entry of this.active.takeDue(nowMs)) {
      const { id } = entry.kept;
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
    for (const { kept } of all) this.core.ledger.drop(kept.id);
    this.active.clear();
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
        this.active.remove(decision.id);
        this.core.pump.submit({ ops: this.core.ledger.drop(decision.id), urgent: true, done: () => undefined });
        this.outRecords.push({ t: 'del', id: decision.id });
      }
      this.reports.push(
        reportOf(decision, entry.simulated, { receivedUs }, { enforcement: 'failed', error, kernelUs }),
      );
      return;
    }
    this.active.markApplied(entry);
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

  private report(decision: { id: string }, receivedUs: number, outcome: Outcome, simulated: boolean): void {
    if (outcome.enforcement === 'rejected') this.core.counts.rejected += 1;
    this.emit([reportOf(decision, simulated, { receivedUs }, outcome)]);
  }

  private emit(reports: EnforcementReport[]): void {
    if (reports.length > 0) this.core.emit.report(reports);
  }
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
  if (outcome.kept !== undefined) report.kept = outcome.kept;
  return report;
}
