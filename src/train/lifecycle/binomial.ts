/**
 * Upper end of the one-sided Clopper-Pearson interval: the rate at which so few successes (or fewer) would still have
 * probability `alpha`. 1 when nothing was tried.
 */
export function clopperPearsonUpper(successes: number, trials: number, alpha: number): number {
  if (trials === 0 || successes >= trials) return 1;
  let [low, high] = [successes / trials, 1];
  for (let i = 0; i < 60; i++) {
    const p = (low + high) / 2;
    if (binomialCdf(successes, trials, p) > alpha) low = p;
    else high = p;
  }
  return (low + high) / 2;
}

/** Lower end of the same interval; 0 when nothing was tried. */
export function clopperPearsonLower(successes: number, trials: number, alpha: number): number {
  return trials === 0 ? 0 : 1 - clopperPearsonUpper(trials - successes, trials, alpha);
}

/** P(X <= k) of a binomial with n trials, summed in logarithms. */
export function binomialCdf(k: number, n: number, p: number): number {
  if (p <= 0) return 1;
  if (p >= 1) return k >= n ? 1 : 0;
  let term = n * Math.log1p(-p);
  let sum = Math.exp(term);
  const odds = Math.log(p) - Math.log1p(-p);
  for (let i = 1; i <= k; i++) {
    term += Math.log((n - i + 1) / i) + odds;
    sum += Math.exp(term);
  }
  return Math.min(1, sum);
}
