/** Minutes of fuzzing: with `FUZZ_SECONDS=60` each property runs so long, without it `numRuns` times. */
const SECONDS = Number(process.env['FUZZ_SECONDS'] ?? 0);

/** Parameters of fast-check for a property that is worth fuzzing for long. */
export function fuzzLimits(numRuns: number) {
  return SECONDS > 0
    ? { numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: SECONDS * 1000, markInterruptAsFailure: false }
    : { numRuns };
}
