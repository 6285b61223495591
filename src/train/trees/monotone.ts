/** Least and largest share of attacks that a node may answer. */
export interface Bounds {
  low: number;
  high: number;
}

export const FREE: Bounds = { low: 0, high: 1 };

/** Share of weight that is not of the first class. */
function attackShare(counts: Float64Array): number {
  const total = counts.reduce((a, b) => a + b, 0);
  return total > 0 ? 1 - counts[0]! / total : 0;
}

/** The side with the larger values has no smaller share of attacks. */
export function keepsOrder(all: Float64Array, left: Float64Array): boolean {
  let [leftTotal, total] = [0, 0];
  for (let c = 0; c < all.length; c++) {
    total += all[c]!;
    leftTotal += left[c]!;
  }
  // Benign share left >= benign share right, without a division.
  return left[0]! * (total - leftTotal) >= (all[0]! - left[0]!) * leftTotal;
}

/**
 * Bounds of the two sides of a split. At a monotone feature (class weights given) the middle of the two shares parts
 * them, so that no split further down can turn the order round; elsewhere both inherit. This is what LightGBM calls
 * the basic method for monotone constraints.
 */
export function boundsOfChildren(
  parent: Bounds,
  sides: [Float64Array, Float64Array] | undefined,
): { left: Bounds; right: Bounds } {
  if (!sides) return { left: parent, right: parent };
  const [a, b] = sides.map((counts) => clamp(attackShare(counts), parent));
  const middle = (a! + b!) / 2;
  return { left: { low: parent.low, high: middle }, right: { low: middle, high: parent.high } };
}

/** Class shares with that of attacks brought within bounds; a node without any attack shares it out as its parent does. */
export function boundedShares(counts: Float64Array, bounds: Bounds, parent?: Float64Array): Float64Array {
  const total = counts.reduce((a, b) => a + b, 0);
  const shares = counts.map((c) => c / total);
  const own = attackShare(counts);
  const wanted = clamp(own, bounds);
  if (wanted === own) return shares;
  const pattern = own > 0 ? shares : (parent ?? shares);
  const sum = pattern.reduce((a, b) => a + b, 0) - pattern[0]!;
  if (sum <= 0) return shares;
  return pattern.map((share, c) => (c === 0 ? 1 - wanted : (share / sum) * wanted));
}

function clamp(value: number, { low, high }: Bounds): number {
  return Math.min(high, Math.max(low, value));
}
