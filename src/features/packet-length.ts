import type { FeatureDefinition } from '../domain/feature.js';
import type { Direction } from '../domain/flow.js';
import { standardDeviation } from './statistics.js';

/** Doubles this group keeps a flow: count, sum, sum of squares, minimum, maximum each way. */
export const LENGTH_SIZE = 10;
const COUNT = 0;
const SUM = 2;
const SQUARES = 4;
const MIN = 6;
const MAX = 8;

const SIDES = [
  ['fwd', 'from the source'],
  ['bwd', 'from the destination'],
  ['all', 'both ways'],
] as const;

export const lengthFeatures: readonly FeatureDefinition[] = SIDES.flatMap(([side, words]) =>
  (
    [
      ['min', 'Smallest'],
      ['max', 'Largest'],
      ['mean', 'Mean'],
      ['std', 'Standard deviation (population) of the'],
    ] as const
  ).map(([name, word]) => ({
    name: `packet_length_${side}_${name}`,
    kind: 'numeric' as const,
    unit: 'bytes',
    description: `${word} IP packet length ${words}; 0 without packets.`,
  })),
);

export function updateLength(s: Float64Array, b: number, length: number, d: Direction): void {
  const first = s[b + COUNT + d] === 0;
  s[b + COUNT + d]! += 1;
  s[b + SUM + d]! += length;
  s[b + SQUARES + d]! += length * length;
  if (first || length < s[b + MIN + d]!) s[b + MIN + d] = length;
  if (length > s[b + MAX + d]!) s[b + MAX + d] = length;
}

/** Writes the group's values from `out[i]` on. @returns the index after the last. */
export function writeLength(s: Float64Array, b: number, out: Float32Array, i: number): number {
  for (let d = 0; d < 2; d++) {
    const n = s[b + COUNT + d]!;
    out[i++] = s[b + MIN + d]!;
    out[i++] = s[b + MAX + d]!;
    out[i++] = s[b + SUM + d]! / Math.max(1, n);
    out[i++] = standardDeviation(n, s[b + SUM + d]!, s[b + SQUARES + d]!);
  }
  const both = s[b + COUNT]! > 0 && s[b + COUNT + 1]! > 0;
  const n = s[b + COUNT]! + s[b + COUNT + 1]!;
  const sum = s[b + SUM]! + s[b + SUM + 1]!;
  out[i++] = both ? Math.min(s[b + MIN]!, s[b + MIN + 1]!) : s[b + MIN]! + s[b + MIN + 1]!;
  out[i++] = Math.max(s[b + MAX]!, s[b + MAX + 1]!);
  out[i++] = sum / Math.max(1, n);
  out[i++] = standardDeviation(n, sum, s[b + SQUARES]! + s[b + SQUARES + 1]!);
  return i;
}
