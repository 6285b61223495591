import type { Alert } from '../domain/alert.js';
import type { Decision, Mode } from '../domain/decision.js';
import type { GuardNote, PolicyTrace, Verdict } from '../domain/verdict.js';
import { formatDuration } from '../util/duration.js';
import { parseCidr, type Cidr } from '../util/ip.js';
import { createCaps, SIMULATED_PER_BLOCK } from './caps.js';
import { strengthOf } from './duplicates.js';
import { applyGuards, effectiveMode, intentFor, type GuardDeps, type Intent } from './guards.js';
import { createOffenderHistory, type OffenderRecord } from './history.js';
import { firstFailure } from './match.js';
import type { PolicyOptions } from './options.js';
import type { Policy } from './schema.js';
import { intentFields, reasonText, toDecision } from './to-decision.js';

export interface PolicyEngineDeps extends GuardDeps {
  /** Mode of the box, as the operator last set it. */
  mode(): Mode;
  /** Epoch milliseconds until which responses are paused; 0 = not paused. */
  pausedUntilMs(): number;
  newId(nowMs: number): string;
}

export interface Judgement {
  verdict: Verdict;
  /** Present when something new is to be done (or, simulated, to be counted). */
  decision?: Decision;
  /** Id of a decision that only counted or was milder, and that this one takes the place of. */
  replaces?: string;
}

/**
 * Alerts in, verdicts and decisions out. Pure but for its own memory (offenders, caps); the caller passes the time, so
 * the same code judges live alerts, tests and backtests.
 */
export interface PolicyEngine {
  setPolicies(policies: readonly Policy[]): void;
  policies(): readonly Policy[];
  judge(alert: Alert, nowMs: number): Judgement;
  /** A decision ended before its time; `forgive` also forgets the offences (released as a mistake). */
  ended(decisionId: string, forgive: boolean): void;
  /** Re-learns decisions in force, after a restart. */
  restore(decisions: readonly Decision[]): void;
  stats(): Record<string, number>;
}

export function createPolicyEngine(options: PolicyOptions, deps: PolicyEngineDeps): PolicyEngine {
  const home = options.home_networks.map(parseCidr).filter((c): c is Cidr => c !== undefined);
  const history = createOffenderHistory(options.max_offenders);
  const caps = createCaps();
  const counts = { judged: 0, acted: 0, simulated: 0, refused: 0, repeated: 0 };
  let ordered: readonly Policy[] = [];

  function judge(alert: Alert, nowMs: number): Judgement {
    counts.judged++;
    const known = history.get(alert.offender, nowMs);
    const considered: PolicyTrace[] = [];
    const base = { alertId: alert.id, mode: deps.mode(), considered, guards: [] as GuardNote[] };
    if (alert.noBlock) {
      base.guards.push({ guard: 'no_block', effect: 'refused', text: 'its rule never causes a verdict (noalert)' });
      return {
        verdict: { ...base, outcome: 'monitor', reason: 'The alert comes from a rule that never causes a verdict.' },
      };
    }
    const ctx = { nowMs, homeNetworks: home, offences: known?.offences ?? 0 };
    const policy = ordered.find((p) => {
      const failed = firstFailure(p, alert, ctx);
      considered.push(
        failed === undefined ? { policy: p.name, matched: true } : { policy: p.name, matched: false, failed },
      );
      return failed === undefined;
    });
    if (!policy) return { verdict: { ...base, outcome: 'monitor', reason: 'No policy matches.' } };
    const chosen = {
      ...base,
      policy: policy.name,
      policyVersion: policy.version,
      mode: effectiveMode(policy.mode, deps.mode()),
    };
    if (policy.outcome !== 'act' || !policy.respond) {
      const outcome = policy.outcome === 'allow' ? 'allow' : 'monitor';
      return { verdict: { ...chosen, outcome, reason: `Policy ${policy.name}: ${policy.description}` } };
    }
    return act(policy, alert, chosen, known, nowMs);
  }

  function act(
    policy: Policy,
    alert: Alert,
    chosen: Omit<Verdict, 'outcome' | 'reason'>,
    known: OffenderRecord | undefined,
    nowMs: number,
  ): Judgement {
    const ladder = policy.respond?.ladder ?? [];
    const step = Math.min(known?.offences ?? 0, ladder.length - 1);
    const rung = ladder[step];
    if (!rung) return { verdict: { ...chosen, outcome: 'monitor', reason: 'The ladder is empty.' } };
    const { intent, notes } = applyGuards(intentFor(rung, alert), alert, { policy, options, deps, nowMs });
    chosen.guards.push(...notes);
    if (!intent) {
      counts.refused++;
      return {
        verdict: {
          ...chosen,
          outcome: 'monitor',
          reason: `Policy ${policy.name} would act, but ${notes.at(-1)?.text ?? 'a guard refused'}.`,
        },
      };
    }
    // Sources that proved nothing have budgets of their own: a flood of forged ones cannot use up that of real offenders.
    const lane = alert.spoofable ? `${policy.name} unproved` : policy.name;
    const mode = pauseOrCap(policy, lane, chosen, nowMs);
    const simulated = mode !== 'enforce';
    if (simulated && caps.simulatedFull(policy, lane, nowMs)) {
      counts.refused++;
      const text = `${SIMULATED_PER_BLOCK * policy.caps.blocks_per_minute} decisions of policy ${policy.name} were only counted in the last minute: no more are made`;
      chosen.guards.push({ guard: 'cap', effect: 'refused', text });
      return { verdict: { ...chosen, outcome: 'monitor', reason: `Policy ${policy.name} would act, but ${text}.` } };
    }
    const reason = reasonText(policy, alert, intent, step);
    const verdict: Verdict = {
      ...chosen,
      mode,
      outcome: 'act',
      step,
      reason,
      ...intentFields(intent),
      traffic: policy.respond?.traffic ?? 'from',
    };
    if (known && isCovered(known, intent, simulated, nowMs)) {
      counts.repeated++;
      return { verdict: { ...verdict, reason: `${reason} Already in force.` } };
    }
    if (simulated) counts.simulated++;
    else counts.acted++;
    const decision = toDecision(alert, verdict, intent, { simulated, nowMs, id: deps.newId(nowMs) });
    caps.count(lane, decision, nowMs);
    remember(policy, alert, decision, known, nowMs);
    const isReplaced = known !== undefined && known.activeUntilMs > nowMs && doesMore(decision, known);
    return isReplaced ? { verdict, decision, replaces: known.activeDecisionId } : { verdict, decision };
  }

  function pauseOrCap(policy: Policy, lane: string, chosen: { mode: Mode; guards: GuardNote[] }, nowMs: number): Mode {
    if (chosen.mode !== 'enforce') return chosen.mode;
    const pausedUntil = deps.pausedUntilMs();
    if (pausedUntil > nowMs) {
      chosen.guards.push({
        guard: 'paused',
        effect: 'simulated',
        text: `responses are paused for ${formatDuration((pausedUntil - nowMs) / 1000)}`,
      });
      return 'suggest';
    }
    const full = caps.exceeded(policy, lane, nowMs);
    if (full !== undefined) {
      chosen.guards.push({ guard: 'cap', effect: 'simulated', text: full });
      return 'suggest';
    }
    return 'enforce';
  }

  function remember(
    policy: Policy,
    alert: Alert,
    decision: Decision,
    known: OffenderRecord | undefined,
    nowMs: number,
  ): void {
    const respond = policy.respond;
    if (!respond) return;
    history.record(alert.offender, {
      offences: (known?.offences ?? 0) + 1,
      lastOffenceMs: nowMs,
      forgetMs: Math.max(respond.forget_after, respond.probation) * 1000,
      activeUntilMs: decision.expiresMs === 0 ? Infinity : decision.expiresMs,
      activeDecisionId: decision.id,
      activeSimulated: decision.simulated,
      activeStep: decision.step,
      activeKind: kindOf(decision),
    });
  }

  return {
    setPolicies(policies) {
      ordered = [...policies].sort((a, b) => a.priority - b.priority || a.name.localeCompare(b.name));
    },
    policies: () => ordered,
    judge,
    ended(decisionId, forgive) {
      history.end(decisionId, forgive);
      caps.end(decisionId);
    },
    restore(decisions) {
      // One record for each offender: of several decisions the newest counts, as it did before.
      for (const d of decisions.toSorted((a, b) => a.createdMs - b.createdMs)) {
        const policy = ordered.find((p) => p.name === d.policy);
        history.record(d.value.split('/')[0] ?? d.value, {
          offences: d.step + 1,
          lastOffenceMs: d.createdMs,
          forgetMs: (policy?.respond?.forget_after ?? 604800) * 1000,
          activeUntilMs: d.expiresMs === 0 ? Infinity : d.expiresMs,
          activeDecisionId: d.id,
          activeSimulated: d.simulated,
          activeStep: d.step,
          activeKind: kindOf(d),
        });
        if (d.policy !== undefined) caps.count(d.policy, d, d.createdMs);
      }
    },
    stats: () => ({ ...counts, offenders: history.size, offenders_evicted: history.evicted, policies: ordered.length }),
  };
}

/** True when what is in force already does at least what the intent would. */
function isCovered(known: OffenderRecord, intent: Intent, simulated: boolean, nowMs: number): boolean {
  if (known.activeUntilMs <= nowMs || (known.activeSimulated && !simulated)) return false;
  const wider = known.activeKind === 'block:ip' || known.activeKind === 'block:cidr';
  return wider || known.activeKind === kindOf(intent);
}

/** True when the decision has the scope of what is in force and does as much or more. */
function doesMore(decision: Decision, known: OffenderRecord): boolean {
  if (decision.simulated && !known.activeSimulated) return false;
  const action = known.activeKind.slice(0, known.activeKind.indexOf(':')) as Decision['action'];
  return kindOf({ ...decision, action }) === known.activeKind && strengthOf(decision.action) >= strengthOf(action);
}

function kindOf(what: { action: string; scope: string; port?: number | undefined }): string {
  return `${what.action}:${what.scope}${what.scope === 'service' || what.scope === 'flow' ? `:${what.port ?? 0}` : ''}`;
}
