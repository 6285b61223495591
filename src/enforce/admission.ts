import type { AllowEntry, EnforcementReport, ProtectedEntry } from '../domain/decision.js';
import { parseCidr, type Cidr } from '../util/ip.js';
import type { ActiveDecision, ActiveDecisions } from './active.js';
import type { Core } from './core.js';
import { ChangeRate, refuseDecision, type GuardState } from './guard.js';
import type { KeptDecision } from './journal-record.js';
import type { ElementOp } from './ledger.js';
import { planDecision } from './planner.js';

/** What is exempt now, for the guard. */
export interface Exemptions {
  protected: readonly { network: Cidr; entry: ProtectedEntry }[];
  allowed: readonly { network: Cidr; entry: AllowEntry }[];
}

/** What only counts may take this share of the elements: real blocks always find room. */
const SIMULATED_SHARE = 0.25;

/** What is reported of a decision. */
export type Outcome = Pick<EnforcementReport, 'enforcement' | 'set' | 'error' | 'note' | 'kept'> & {
  kernelUs?: number;
};

/** The way of a decision into what is in force: guard rails, rate of change, plan, room. */
export class Admission {
  private readonly core: Core;
  private readonly active: ActiveDecisions;
  private readonly exemptions: () => Exemptions;
  readonly rate: ChangeRate;
  /** Decisions made before this were lifted by hand and must not come back. */
  flushedAtMs = 0;

  constructor(core: Core, active: ActiveDecisions, exemptions: () => Exemptions) {
    this.core = core;
    this.active = active;
    this.exemptions = exemptions;
    this.rate = new ChangeRate(core.options.guard.max_changes_per_minute, core.options.guard.trip_secs * 1000);
  }

  /**
   * Judges and plans a decision and takes it into what is in force; a known id is a renewal.
   * @param isRestore it was in force before the responder ended: nothing new
   * @returns the operations that carry it out, or what became of it instead
   */
  admit(decision: KeptDecision, isRestore = false): Outcome | { entry: ActiveDecision; ops: ElementOp[] } {
    const { core, active } = this;
    const remainingMs = this.remainingMs(decision);
    if (remainingMs <= 0) return { enforcement: 'expired' };
    // A flush at a time that is still to come was made when the clock was wrong: it must not undo what comes now.
    this.flushedAtMs = Math.min(this.flushedAtMs, core.clock.wallMs());
    if (decision.createdMs <= this.flushedAtMs) {
      return { enforcement: 'revoked', error: 'lifted by hand with "portcullis decision flush"' };
    }
    const known = active.get(decision.id);
    const network = parseCidr(decision.value);
    const refused = refuseDecision(decision, this.guardState(known), core.options, network);
    if (refused !== undefined) return this.refuse(decision, refused);
    const held = known || isRestore ? undefined : this.holdBack(decision);
    const simulated =
      decision.simulated || (known?.heldBack ?? false) || !core.options.allow_enforce || held !== undefined;
    const plan = planDecision(decision, core.options, simulated, network);
    if ('refused' in plan) return this.refuse(decision, plan.refused);
    if (simulated && !known && active.countingOnly >= core.options.guard.max_elements * SIMULATED_SHARE) {
      return this.refuse(
        decision,
        `${active.countingOnly} decisions are only counted, the most allowed beside real ones`,
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
    active.put(entry);
    return { entry, ops: core.ledger.hold(decision.id, plan.elements, deadlineMs) };
  }

  private refuse(decision: KeptDecision, error: string): Outcome {
    const known = this.active.get(decision.id);
    if (!known) return { enforcement: 'rejected', error };
    this.core.log.warn({ decisionId: decision.id, error }, 'renewal refused');
    const { durationSecs, expiresMs } = known.kept;
    return { enforcement: 'rejected', error, kept: { durationSecs, expiresMs } };
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
    // A clock that is behind, also that of another member of a fleet, makes no block longer than was said.
    const inAll = durationSecs > 0 ? durationSecs * 1000 : Infinity;
    return Math.min(endMs - this.core.clock.wallMs(), longest, inAll);
  }

  private guardState(known: ActiveDecision | undefined): GuardState {
    const { protected: kept, allowed } = this.exemptions();
    return {
      protected: kept,
      allowed,
      elements: known ? 0 : this.core.ledger.size,
      quarantined: known ? 0 : this.active.quarantines,
    };
  }
}
