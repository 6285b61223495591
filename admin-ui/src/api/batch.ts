/**
 * Hands values over in batches, at most one batch in `everyMs`: a storm of messages must not become a storm of renders.
 * Bounded: when more than `max` wait, all of them are dropped and `onOverflow` is told, once.
 */
export function createBatch<T>(options: {
  everyMs: number;
  max: number;
  deliver: (value: T) => void;
  onOverflow: () => void;
  setTimeout?: (run: () => void, ms: number) => unknown;
}): { push: (value: T) => void; clear: () => void } {
  const later = options.setTimeout ?? ((run, ms) => window.setTimeout(run, ms));
  let waiting: T[] = [];
  let isArmed = false;
  let hasOverflown = false;

  function flush(): void {
    isArmed = false;
    const batch = waiting;
    waiting = [];
    if (hasOverflown) options.onOverflow();
    hasOverflown = false;
    for (const value of batch) options.deliver(value);
  }
  return {
    push(value) {
      if (waiting.length >= options.max) {
        waiting = [];
        hasOverflown = true;
      }
      waiting.push(value);
      if (!isArmed) {
        isArmed = true;
        later(flush, options.everyMs);
      }
    },
    clear() {
      waiting = [];
      hasOverflown = false;
    },
  };
}
