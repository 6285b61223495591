import type { FeatureDefinition } from '../domain/feature.js';
import type { Direction } from '../domain/flow.js';
import { standardDeviation } from './statistics.js';

/** Doubles this group keeps a flow: packets, last time, gap sum, squares, minimum, maximum for fwd, bwd and all. */
export const ARRIVAL_SIZE = 18;
const STRIDE = 6;
const PACKETS = 0;
const LAST = 1;
const SUM = 2;
const SQUARES = 3;
const MIN = 4;
const MAX = 5;
const ALL = 2;

export const arrivalFeatures: readonly FeatureDefinition[] = (
  [
    ['fwd', 'packets from the source'],
    ['bwd', 'packets from the destination'],
    ['all', 'packets'],
  ] as const
).flatMap(([side, words]) =>
  (
    [
      ['mean', 'Mean'],
      ['std', 'Standard deviation (population) of the'],
      ['min', 'Shortest'],
      ['max', 'Longest'],
    ] as const
  ).map(([name, word]) => ({
    name: `inter_arrival_${side}_${name}`,
    kind: 'numeric' as const,
    unit: 's',
    description: `${word} time between consecutive ${words}; 0 with fewer than two.`,
  })),
);

function addArrival(s: Float64Array, at: number, secs: number): void {
  if (s[at + PACKETS]! > 0) {
    const gap = Math.max(0, secs - s[at + LAST]!);
    const first = s[at + PACKETS] === 1;
    s[at + SUM]! += gap;
    s[at + SQUARES]! += gap * gap;
    if (first || gap < s[at + MIN]!) s[at + MIN] = gap;
    if (gap > s[at + MAX]!) s[at + MAX] = gap;
  }
  s[at + PACKETS]! += 1;
  s[at + LAST] = secs;
}

/** @param secs packet time since the flow's first packet. */
export function updateArrival(s: Float64Array, b: number, secs: number, d: Direction): void {
  addArrival(s, b + d * STRIDE, secs);
  addArrival(s, b + ALL * STRIDE, secs);
}

/** Seconds from the first to the last packet. */
export function durationOf(s: Float64Array, b: number): number {
  return s[b + ALL * STRIDE + SUM]!;
}

/** Writes the group's values from `out[i]` on. @returns the index after the last. */
export function writeArrival(s: Float64Array, b: number, out: Float32Array, i: number): number {
  for (let side = 0; side < 3; side++) {
    const at = b + side * STRIDE;
    const gaps = Math.max(0, s[at + PACKETS]! - 1);
    out[i++] = s[at + SUM]! / Math.max(1, gaps);
    out[i++] = standardDeviation(gaps, s[at + SUM]!, s[at + SQUARES]!);
    out[i++] = s[at + MIN]!;
    out[i++] = s[at + MAX]!;
  }
  return i;
}
