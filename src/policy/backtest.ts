import type { Alert } from '../domain/alert.js';
import type { Decision } from '../domain/decision.js';
import { createPolicyEngine, type PolicyEngineDeps } from './engine.js';
import type { PolicyOptions } from './options.js';
import type { Policy } from './schema.js';

/** Why a source counts as innocent in a backtest. */
export type InnocentReason = 'label' | 'allowlist' | 'clean_history';

export interface BacktestBlock {
  decision: Decision;
  alertTitle: string;
  innocent?: InnocentReason;
}

export interface BacktestResult {
  alerts: number;
  blocks: BacktestBlock[];
  /** Distinct offenders that would have been acted on. */
  offenders: number;
  innocentOffenders: number;
  /** Seconds of block that would have hit innocent sources. */
  innocentSecs: number;
}

export interface BacktestInput {
  /** In the order in which they happened. */
  alerts: Iterable<Alert>;
  policies: readonly Policy[];
  options: PolicyOptions;
  /** Same guards as live; mode is forced to enforce so that the policies speak. */
  deps: Omit<PolicyEngineDeps, 'mode' | 'pausedUntilMs' | 'newId'>;
  innocent(offender: string): InnocentReason | undefined;
}

/** What the policies would have done with recorded alerts: the same engine as live, with the alerts' own times. */
export function backtest(input: BacktestInput): BacktestResult {
  let made = 0;
  const engine = createPolicyEngine(input.options, {
    ...input.deps,
    mode: () => 'enforce',
    pausedUntilMs: () => 0,
    newId: () => `backtest-${++made}`,
  });
  engine.setPolicies(input.policies);
  const result: BacktestResult = { alerts: 0, blocks: [], offenders: 0, innocentOffenders: 0, innocentSecs: 0 };
  const offenders = new Set<string>();
  const innocents = new Set<string>();
  for (const alert of input.alerts) {
    result.alerts++;
    const { decision } = engine.judge(alert, alert.lastMs);
    if (!decision || decision.simulated) continue;
    const innocent = input.innocent(alert.offender);
    offenders.add(alert.offender);
    if (innocent) {
      innocents.add(alert.offender);
      result.innocentSecs += decision.durationSecs;
    }
    result.blocks.push({ decision, alertTitle: alert.title, ...(innocent ? { innocent } : {}) });
  }
  result.offenders = offenders.size;
  result.innocentOffenders = innocents.size;
  return result;
}
