/** Population standard deviation from count, sum and sum of squares; 0 for fewer than two values. */
export function standardDeviation(count: number, sum: number, squares: number): number {
  if (count < 2) return 0;
  const mean = sum / count;
  return Math.sqrt(Math.max(0, squares / count - mean * mean));
}
