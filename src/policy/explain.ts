import type { Alert } from '../domain/alert.js';
import type { Verdict } from '../domain/verdict.js';
import { parseCidr, type Cidr } from '../util/ip.js';
import type { GuardDeps } from './guards.js';
import { judgeOnce } from './judge-once.js';
import { allFailures } from './match.js';
import type { PolicyOptions } from './options.js';
import type { Policy } from './schema.js';

/** Why policies decide about an alert as they do. */
export interface PolicyExplanation {
  verdict: Verdict;
  /** Policies that did not match, with every condition that failed; those that missed by the fewest first. */
  nearest: { policy: string; failed: string[] }[];
  /** The answer in sentences. */
  text: string[];
}

const NAMED = 3;

/** What all these policies together would do about one alert in enforce mode, and what was missing in the others. */
export function explainAlert(
  policies: readonly Policy[],
  alert: Alert,
  options: PolicyOptions,
  guards: GuardDeps,
): PolicyExplanation {
  const verdict = judgeOnce(policies, alert, options, guards);
  const homeNetworks = options.home_networks.map(parseCidr).filter((c): c is Cidr => c !== undefined);
  const ctx = { nowMs: alert.lastMs, homeNetworks, offences: 0 };
  const nearest = policies
    .map((p) => ({ policy: p.name, failed: allFailures(p, alert, ctx) }))
    .filter((p) => p.failed.length > 0)
    .sort((a, b) => a.failed.length - b.failed.length || a.policy.localeCompare(b.policy));
  return { verdict, nearest, text: sentences(verdict, nearest, alert, policies) };
}

function sentences(
  verdict: Verdict,
  nearest: PolicyExplanation['nearest'],
  alert: Alert,
  policies: readonly Policy[],
): string[] {
  const text = [
    `"${alert.title}" by ${alert.offender} (${alert.tiers.join(', ')}; confidence ${alert.confidence.toFixed(2)}): ${outcome(verdict)}`,
  ];
  text.push(verdict.reason);
  for (const note of verdict.guards) text.push(`Guard ${note.guard.replace('_', ' ')}, ${note.effect}: ${note.text}.`);
  const decider = verdict.policy;
  const alsoMatch = policies.filter((p) => p.name !== decider && !nearest.some((n) => n.policy === p.name));
  if (alsoMatch.length > 0) {
    text.push(`Would match as well, but come later: ${alsoMatch.map((p) => p.name).join(', ')}.`);
  }
  for (const { policy, failed } of nearest.slice(0, NAMED)) text.push(`${policy} did not match: ${failed.join('; ')}.`);
  if (nearest.length > NAMED) text.push(`${nearest.length - NAMED} more policies did not match.`);
  return text;
}

function outcome(verdict: Verdict): string {
  if (verdict.outcome === 'allow') return `nothing happens, policy ${verdict.policy ?? ''} allows it.`;
  if (verdict.outcome === 'monitor') return 'no response.';
  const what = `${(verdict.action ?? '').replace('_', ' ')} ${verdict.scope ?? ''} ${verdict.value ?? ''}`;
  return `${what}${verdict.port === undefined ? '' : ` port ${verdict.port}`} in mode ${verdict.mode}.`;
}
