import fc from 'fast-check';

/** Seconds that each property worth it is fuzzed, of `FUZZ_SECONDS`; without it, as many cases as the property says. */
const SECONDS = Number(process.env['FUZZ_SECONDS'] ?? 0);
/** A plain run tries the same cases each time: what is found once is found again. Fuzzing tries new ones. */
const SEED = process.env['FUZZ_SEED'] ?? (SECONDS > 0 ? undefined : '1');

if (SEED !== undefined) fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(SEED) });

/** fast-check, set to the run's seed: `FUZZ_SEED=2` for another one. */
export { fc };

/** Parameters of fast-check for a property that is worth fuzzing for long. */
export function fuzzLimits(numRuns: number) {
  return SECONDS > 0
    ? { numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: SECONDS * 1000, markInterruptAsFailure: false }
    : { numRuns };
}
