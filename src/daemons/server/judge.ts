import type { AlertUpdate } from '../../domain/alert.js';
import type { Decision } from '../../domain/decision.js';
import type { Verdict } from '../../domain/verdict.js';
import type { PolicyEngine } from '../../policy/index.js';
import { nowUs } from '../../util/clock.js';
import type { DecisionBook } from './decisions.js';

export interface JudgeDeps {
  engine: PolicyEngine;
  book: DecisionBook;
  /** The offender is known to be hostile; collateral is no longer counted for it. */
  condemn(offender: string): void;
  /** Everything that may wait until the decision is on its way: store, incidents, SIEM, console. */
  judged(update: AlertUpdate, verdict: Verdict, decision: Decision | undefined): void;
}

/** From an alert to a decision on its way to the responders. */
export function createJudge(deps: JudgeDeps): (update: AlertUpdate) => void {
  return (update) => {
    const alertUs = nowUs();
    const { alert } = update;
    deps.condemn(alert.offender);
    const { verdict, decision, replaces } = deps.engine.judge(alert, Date.now());
    if (decision) {
      // Its packet was seen elsewhere, by another clock: no latency of ours.
      if (alert.sensor.startsWith('ingest:')) decision.trace.packetUs = 0;
      decision.trace.alertUs = alertUs;
      decision.trace.decidedUs = nowUs();
      deps.book.add(decision, alert);
      const before = replaces === undefined ? undefined : deps.book.get(replaces);
      // Neighbours in one IPv6 /64 share a record; what is in force for one of them is not the other's.
      if (before?.value === decision.value && before.traffic === decision.traffic) {
        deps.book.replace(before.id, decision.id);
      }
    }
    deps.judged(update, verdict, decision);
  };
}
