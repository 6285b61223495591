import type { Decision } from '../domain/decision.js';

const STRENGTH: Readonly<Record<Decision['action'], number>> = { watch: 0, rate_limit: 1, block: 2 };

export function strengthOf(action: Decision['action']): number {
  return STRENGTH[action];
}

/** Whom a decision is about: of two of a policy that say the same, one is superfluous. */
function aim(d: Decision): string {
  return [d.scope, d.value, d.traffic, d.proto, d.port, d.peer, d.peerPort].join(' ');
}

function endMs(d: Decision): number {
  return d.expiresMs === 0 ? Infinity : d.expiresMs;
}

/** True when `a`, which has the same aim, makes `b` superfluous. What only counts never stands for what acts. */
function outdoes(a: Decision, b: Decision): boolean {
  if (a === b || (a.simulated && !b.simulated) || strengthOf(a.action) < strengthOf(b.action)) return false;
  if (a.simulated !== b.simulated || a.action !== b.action) return true;
  return endMs(a) === endMs(b) ? a.id < b.id : endMs(a) > endMs(b);
}

/**
 * Decisions of policies that another of theirs makes superfluous: the same scope and address, the same action or a milder
 * one. A server that died between deciding and writing, or one that first only counted or slowed down and then blocked,
 * leaves such pairs behind. What operators, feeds and a SIEM asked for stays: it is theirs to lift.
 */
export function findSuperfluous(decisions: readonly Decision[]): { decision: Decision; by: Decision }[] {
  const groups = new Map<string, Decision[]>();
  for (const d of decisions) {
    if (d.origin !== 'policy') continue;
    const group = groups.get(aim(d));
    if (group) group.push(d);
    else groups.set(aim(d), [d]);
  }
  return [...groups.values()].flatMap((group) =>
    group.flatMap((decision) => {
      const better = group.filter((other) => outdoes(other, decision));
      const by = better.find((other) => !better.some((third) => outdoes(third, other)));
      return by ? [{ decision, by }] : [];
    }),
  );
}
