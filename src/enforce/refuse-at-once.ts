import { refuseByLimits } from './guard.js';
import type { KeptDecision } from './journal-record.js';
import type { EnforceOptions } from './options.js';
import { planDecision } from './planner.js';

/**
 * For who makes a decision: what a responder with these options refuses whatever is in force or protected there, so that it
 * is said at once and not after the decision was sent.
 * @returns why, or undefined
 */
export function refuseAtOnce(decision: KeptDecision, options: EnforceOptions): string | undefined {
  const refused = refuseByLimits(decision, options);
  if (refused !== undefined) return refused;
  const plan = planDecision(decision, options, decision.simulated || !options.allow_enforce);
  return 'refused' in plan ? plan.refused : undefined;
}
