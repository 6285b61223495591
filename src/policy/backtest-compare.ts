import type { BacktestBlock } from './backtest.js';

export interface BacktestSummary {
  decisions: number;
  offenders: number;
  /** Seconds of response in all. */
  secs: number;
  innocentOffenders: number;
  innocentSecs: number;
  byPolicy: { policy: string; decisions: number; innocent: number }[];
}

export type ComparedBlock = BacktestBlock & { by: 'both' | 'active' | 'candidate' };

export interface BacktestComparison {
  active: BacktestSummary;
  candidate?: BacktestSummary;
  /** Innocent sources first, then what only one side does, then the rest; each in order of time. */
  blocks: ComparedBlock[];
}

/** Puts the two sides together: the n-th equal response to one offender is the same on both sides. */
export function compareSides(
  active: readonly BacktestBlock[],
  candidate: readonly BacktestBlock[] | undefined,
): BacktestComparison {
  const blocks: ComparedBlock[] = [];
  if (!candidate) blocks.push(...active.map((b) => ({ ...b, by: 'active' as const })));
  else {
    const waiting = new Map<string, BacktestBlock[]>();
    for (const block of active) {
      const list = waiting.get(keyOf(block)) ?? [];
      if (list.push(block) === 1) waiting.set(keyOf(block), list);
    }
    for (const block of candidate) {
      const twin = waiting.get(keyOf(block))?.shift();
      blocks.push({ ...block, by: twin ? 'both' : 'candidate' });
    }
    for (const rest of waiting.values()) for (const block of rest) blocks.push({ ...block, by: 'active' });
  }
  const rank = (b: ComparedBlock): number => (b.innocent ? 0 : b.by === 'both' ? 2 : 1);
  blocks.sort((a, b) => rank(a) - rank(b) || a.decision.createdMs - b.decision.createdMs);
  return { active: summarize(active), ...(candidate ? { candidate: summarize(candidate) } : {}), blocks };
}

function keyOf({ decision: d }: BacktestBlock): string {
  return `${d.action} ${d.scope} ${d.value} ${d.proto ?? 0} ${d.port ?? 0} ${d.durationSecs}`;
}

function summarize(blocks: readonly BacktestBlock[]): BacktestSummary {
  const innocents = blocks.filter((b) => b.innocent);
  const secs = (list: readonly BacktestBlock[]): number => list.reduce((sum, b) => sum + b.decision.durationSecs, 0);
  const byPolicy = new Map<string, { policy: string; decisions: number; innocent: number }>();
  for (const { decision, innocent } of blocks) {
    const policy = decision.policy ?? '';
    const sum = byPolicy.get(policy) ?? { policy, decisions: 0, innocent: 0 };
    sum.decisions++;
    if (innocent) sum.innocent++;
    byPolicy.set(policy, sum);
  }
  return {
    decisions: blocks.length,
    offenders: new Set(blocks.map((b) => b.alert.offender)).size,
    secs: secs(blocks),
    innocentOffenders: new Set(innocents.map((b) => b.alert.offender)).size,
    innocentSecs: secs(innocents),
    byPolicy: [...byPolicy.values()].sort((a, b) => b.decisions - a.decisions),
  };
}
