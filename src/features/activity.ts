import type { FeatureDefinition } from '../domain/feature.js';

/** Doubles this group keeps a flow. */
export const ACTIVITY_SIZE = 8;
const PERIOD_START = 0;
const LAST = 1;
const ACTIVE_COUNT = 2;
const ACTIVE_SUM = 3;
const ACTIVE_MAX = 4;
const IDLE_COUNT = 5;
const IDLE_SUM = 6;
const IDLE_MAX = 7;

export const activityFeatures: readonly FeatureDefinition[] = (
  [
    ['active_mean', 'Mean length of the active periods, the one under way included.'],
    ['active_max', 'Longest active period, the one under way included.'],
    ['idle_mean', 'Mean silence between active periods; 0 without.'],
    ['idle_max', 'Longest silence between active periods; 0 without.'],
  ] as const
).map(([name, description]) => ({ name, kind: 'numeric', unit: 's', description }));

/** @param secs packet time since the flow's first packet. */
export function updateActivity(s: Float64Array, b: number, secs: number, idleGapSecs: number): void {
  const gap = secs - s[b + LAST]!;
  if (gap >= idleGapSecs) {
    const active = s[b + LAST]! - s[b + PERIOD_START]!;
    s[b + ACTIVE_COUNT]! += 1;
    s[b + ACTIVE_SUM]! += active;
    s[b + ACTIVE_MAX] = Math.max(s[b + ACTIVE_MAX]!, active);
    s[b + IDLE_COUNT]! += 1;
    s[b + IDLE_SUM]! += gap;
    s[b + IDLE_MAX] = Math.max(s[b + IDLE_MAX]!, gap);
    s[b + PERIOD_START] = secs;
  }
  s[b + LAST] = Math.max(s[b + LAST]!, secs);
}

/** Writes the group's values from `out[i]` on. @returns the index after the last. */
export function writeActivity(s: Float64Array, b: number, out: Float32Array, i: number): number {
  const underWay = s[b + LAST]! - s[b + PERIOD_START]!;
  out[i++] = (s[b + ACTIVE_SUM]! + underWay) / (s[b + ACTIVE_COUNT]! + 1);
  out[i++] = Math.max(s[b + ACTIVE_MAX]!, underWay);
  out[i++] = s[b + IDLE_SUM]! / Math.max(1, s[b + IDLE_COUNT]!);
  out[i++] = s[b + IDLE_MAX]!;
  return i;
}
