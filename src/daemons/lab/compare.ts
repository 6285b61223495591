import type { JobBlock } from '../../contract/http.js';
import type { Decision } from '../../domain/decision.js';

/** A decision that policies would have made, and the alert behind it. */
export interface JobDecision {
  decision: Decision;
  alertTitle: string;
}

const targetOf = ({ decision: d }: JobDecision): string => `${d.scope} ${d.value} ${d.port ?? ''}`;

/** The first decision on each target: what a policy does about an offender, whatever comes later. */
function byTarget(decisions: readonly JobDecision[]): Map<string, JobDecision> {
  const found = new Map<string, JobDecision>();
  for (const entry of decisions) if (!found.has(targetOf(entry))) found.set(targetOf(entry), entry);
  return found;
}

function toBlock({ decision: d, alertTitle }: JobDecision, side: JobBlock['side']): JobBlock {
  return {
    side,
    action: d.action,
    scope: d.scope,
    value: d.value,
    ...(d.port === undefined ? {} : { port: d.port }),
    durationSecs: d.durationSecs,
    policy: d.policy ?? '',
    reason: d.reason,
    alertTitle,
    atMs: d.createdMs,
  };
}

/**
 * What would have been blocked, in the order of the capture. With a candidate every target says which side blocks it, and
 * where both do but differently, what the candidate does instead.
 */
export function compareBlocks(
  active: readonly JobDecision[],
  candidate: readonly JobDecision[] | undefined,
): JobBlock[] {
  const now = byTarget(active);
  if (!candidate) return [...now.values()].map((entry) => toBlock(entry, 'active'));
  const then = byTarget(candidate);
  const blocks: JobBlock[] = [];
  for (const [target, entry] of now) {
    const other = then.get(target)?.decision;
    const { decision: d } = entry;
    const differs = other && (other.action !== d.action || other.durationSecs !== d.durationSecs);
    blocks.push({
      ...toBlock(entry, other ? 'both' : 'active'),
      ...(differs
        ? { candidate: { action: other.action, durationSecs: other.durationSecs, policy: other.policy ?? '' } }
        : {}),
    });
  }
  for (const [target, entry] of then) if (!now.has(target)) blocks.push(toBlock(entry, 'candidate'));
  return blocks.sort((a, b) => a.atMs - b.atMs);
}
