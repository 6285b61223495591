import type { Alert } from '../domain/alert.js';
import type { AllowEntry, Decision, ProtectedEntry } from '../domain/decision.js';
import type { FlowRecord } from '../domain/flow.js';
import { cidrContains, cidrOverlaps, parseCidr, parseIp, type Cidr } from '../util/ip.js';
import { compareSides, type BacktestComparison } from './backtest-compare.js';
import { createBlastTracker } from './blast.js';
import { createCleanHistory } from './clean-history.js';
import { createPolicyEngine, type PolicyEngine } from './engine.js';
import type { PolicyOptions } from './options.js';
import type { Policy } from './schema.js';

/** Why a source counts as innocent in a backtest. */
export interface Innocence {
  reason: 'label' | 'allowlist' | 'clean_history';
  text: string;
}

export interface BacktestBlock {
  decision: Decision;
  alert: Pick<Alert, 'id' | 'title' | 'offender'>;
  innocent?: Innocence;
}

export interface BacktestInput {
  /** As written: a policy that only observes decides nothing here either. */
  active: readonly Policy[];
  /** What is tried, with its modes raised to enforce: the question is what it would do once it is switched on. */
  candidate?: readonly Policy[];
  options: PolicyOptions;
  /** Entries that existed at the time of an alert refuse, as live; later ones prove that the source was innocent. */
  allowed: readonly AllowEntry[];
  protected: readonly ProtectedEntry[];
  /** What analysts said of offenders. */
  label(offender: string): 'benign' | 'guilty' | undefined;
}

/**
 * What policies would have done with recorded traffic: the engine, guards and blast radius of live, with the records'
 * own times. Feed flows and alerts in the order in which they happened.
 */
export interface Backtest {
  flow(flow: FlowRecord): void;
  /** @param candidate the alert as the candidate's models see it; null: they would not have found it. */
  alert(alert: Alert, candidate?: Alert | null): void;
  /** The same, of alerts with a capture's own correlator: `side` says whose detections made the alert. */
  alertOf(side: 'active' | 'candidate', alert: Alert): void;
  result(): BacktestComparison & { alerts: number; flows: number };
}

const BLAST_WINDOW_MS = 86_400_000;
const BLAST_ADDRESSES = 50_000;

interface Side {
  engine: PolicyEngine;
  blocks: BacktestBlock[];
}

export function createBacktest(input: BacktestInput): Backtest {
  const { options } = input;
  const networks = input.allowed.flatMap((entry) => {
    const network = parseCidr(entry.value);
    return network ? [{ network, entry }] : [];
  });
  const kept = input.protected.flatMap((entry) => {
    const network = parseCidr(entry.value);
    return network ? [{ network, entry }] : [];
  });
  const blast = createBlastTracker({
    maxAddresses: BLAST_ADDRESSES,
    windowMs: BLAST_WINDOW_MS,
    homeNetworks: options.home_networks,
  });
  const history = createCleanHistory();
  /** Set at the first alert of an offender, before its past is forgotten. */
  const wasClean = new Map<string, string | undefined>();
  let nowMs = 0;
  let alerts = 0;
  let flows = 0;

  function findAllowed(network: Cidr, atMs: number): AllowEntry | undefined {
    return networks.find(
      ({ network: allowed, entry }) =>
        cidrOverlaps(allowed, network) && entry.createdMs <= atMs && (entry.expiresMs === 0 || entry.expiresMs > atMs),
    )?.entry;
  }

  function makeSide(policies: readonly Policy[]): Side {
    let made = 0;
    const engine = createPolicyEngine(options, {
      mode: () => 'enforce',
      pausedUntilMs: () => 0,
      newId: () => `backtest-${++made}`,
      findProtected: (network) => kept.find((k) => cidrOverlaps(k.network, network))?.entry,
      findAllowed,
      blastRadius: (network) => blast.radius(network, nowMs),
    });
    engine.setPolicies(policies);
    return { engine, blocks: [] };
  }

  const active = makeSide(input.active);
  const candidate = input.candidate && makeSide(input.candidate.map((p) => ({ ...p, mode: 'enforce' })));

  function innocence(offender: string): Innocence | undefined {
    const label = input.label(offender);
    if (label === 'guilty') return undefined;
    if (label === 'benign') return { reason: 'label', text: 'an analyst marked its alerts as false positives' };
    const ip = parseIp(offender);
    const allow = ip && networks.find((n) => cidrContains(n.network, ip))?.entry;
    if (allow) return { reason: 'allowlist', text: `${allow.value}, allowed by ${allow.owner}: ${allow.comment}` };
    const clean = wasClean.get(offender);
    return clean === undefined ? undefined : { reason: 'clean_history', text: clean };
  }

  function judge(side: Side, alert: Alert): void {
    const { decision } = side.engine.judge(alert, alert.lastMs);
    if (!decision || decision.simulated) return;
    const { id, title, offender } = alert;
    const innocent = innocence(offender);
    side.blocks.push({ decision, alert: { id, title, offender }, ...(innocent ? { innocent } : {}) });
  }

  function arrive(alert: Alert): void {
    alerts++;
    nowMs = Math.max(nowMs, alert.lastMs);
    if (!wasClean.has(alert.offender)) wasClean.set(alert.offender, history.of(alert.offender));
    history.condemn(alert.offender);
    blast.condemn(alert.offender);
  }

  return {
    flow(flow) {
      flows++;
      nowMs = Math.max(nowMs, flow.endUs / 1000);
      history.note(flow);
      blast.note(flow);
    },
    alert(alert, rescored = alert) {
      arrive(alert);
      judge(active, alert);
      if (candidate && rescored) judge(candidate, rescored);
    },
    alertOf(side, alert) {
      arrive(alert);
      const judged = side === 'active' ? active : candidate;
      if (judged) judge(judged, alert);
    },
    result: () => ({ ...compareSides(active.blocks, candidate?.blocks), alerts, flows }),
  };
}
