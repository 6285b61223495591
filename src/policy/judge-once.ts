import type { Alert } from '../domain/alert.js';
import type { Verdict } from '../domain/verdict.js';
import { createPolicyEngine } from './engine.js';
import type { GuardDeps } from './guards.js';
import type { PolicyOptions } from './options.js';
import type { Policy } from './schema.js';

/** What these policies would say about one alert in enforce mode, for an offender without history. */
export function judgeOnce(
  policies: readonly Policy[],
  alert: Alert,
  options: PolicyOptions,
  guards: GuardDeps,
): Verdict {
  const engine = createPolicyEngine(options, {
    ...guards,
    mode: () => 'enforce',
    pausedUntilMs: () => 0,
    newId: () => 'test',
  });
  engine.setPolicies(policies);
  return engine.judge(alert, alert.lastMs).verdict;
}
