import type { Action, Mode, Scope, Traffic } from './decision.js';

/** The outcome of policies for one alert, with the reason in full. */
export interface Verdict {
  alertId: string;
  outcome: 'allow' | 'monitor' | 'act';
  policy?: string;
  policyVersion?: number;
  mode: Mode;
  action?: Action;
  scope?: Scope;
  traffic?: Traffic;
  value?: string;
  proto?: number;
  port?: number;
  durationSecs?: number;
  step?: number;
  /** A sentence for people. */
  reason: string;
  /** Every policy that was looked at, in order, and the first clause that failed. */
  considered: PolicyTrace[];
  /** Guards that narrowed, shortened or refused the action. */
  guards: GuardNote[];
}

export interface PolicyTrace {
  policy: string;
  matched: boolean;
  /** First condition that did not hold, e.g. `confidence 0.62 < 0.8`. */
  failed?: string;
}

export interface GuardNote {
  guard: 'protected' | 'allowlist' | 'spoof' | 'blast_radius' | 'cap' | 'no_block' | 'paused' | 'mode';
  effect: 'refused' | 'narrowed' | 'shortened' | 'simulated';
  text: string;
}
