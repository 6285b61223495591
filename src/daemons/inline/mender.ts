/** Pause after an attempt that failed: each starts programs, and while they fork packets wait. */
const RETRY_MS = 10_000;

export interface MenderDeps {
  /** Brings the rules back. */
  repair: () => Promise<void>;
  /** Told of the first of attempts that fail one after the other. */
  failed: (error: unknown) => void;
  /** Runs it when what was ordered before is done. */
  inTurn: (task: () => Promise<void>) => Promise<void>;
  monoMs?: () => number;
}

/** Brings back rules that somebody took away: one attempt at a time, told once. Call it whenever they are missing. */
export function createMender(deps: MenderDeps): () => void {
  const { monoMs = () => performance.now() } = deps;
  let isBusy = false;
  let isTold = false;
  let notBeforeMs = -Infinity;
  return () => {
    if (isBusy || monoMs() < notBeforeMs) return;
    isBusy = true;
    void deps
      .inTurn(deps.repair)
      .then(
        () => (isTold = false),
        (error: unknown) => {
          notBeforeMs = monoMs() + RETRY_MS;
          if (!isTold) deps.failed(error);
          isTold = true;
        },
      )
      .finally(() => (isBusy = false));
  };
}
