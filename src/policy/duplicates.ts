import type { Decision } from '../domain/decision.js';

/** What a decision does and to whom: two of a policy with the same are one too many. */
function purpose(d: Decision): string {
  return [d.action, d.scope, d.value, d.traffic, d.proto, d.port, d.peer, d.peerPort].join(' ');
}

function endMs(d: Decision): number {
  return d.expiresMs === 0 ? Infinity : d.expiresMs;
}

/** True when `a` does what `b` does and lasts at least as long. */
function isStronger(a: Decision, b: Decision): boolean {
  if (a.simulated !== b.simulated) return !a.simulated;
  return endMs(a) === endMs(b) ? a.id < b.id : endMs(a) > endMs(b);
}

/**
 * Decisions of policies that another of theirs makes superfluous: the same action, scope and address. A server that died
 * between deciding and writing, or one that first only counted and then blocked, leaves such pairs behind. What operators,
 * feeds and a SIEM asked for stays: it is theirs to lift.
 */
export function findSuperfluous(decisions: readonly Decision[]): { decision: Decision; by: Decision }[] {
  const strongest = new Map<string, Decision>();
  const ofPolicies = decisions.filter((d) => d.origin === 'policy');
  for (const d of ofPolicies) {
    const other = strongest.get(purpose(d));
    if (!other || isStronger(d, other)) strongest.set(purpose(d), d);
  }
  return ofPolicies.flatMap((decision) => {
    const by = strongest.get(purpose(decision))!;
    return by === decision ? [] : [{ decision, by }];
  });
}
