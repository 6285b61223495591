import { onScopeDispose } from 'vue';

/** Calls `run` again and again while `wanted` says so and the component lives; one call at a time. */
export function usePolling(run: () => Promise<unknown>, options: { everyMs: number; wanted: () => boolean }): void {
  let stopped = false;
  let timer = 0;
  const tick = async (): Promise<void> => {
    if (options.wanted()) await run().catch(() => undefined);
    if (!stopped) timer = window.setTimeout(() => void tick(), options.everyMs);
  };
  timer = window.setTimeout(() => void tick(), options.everyMs);
  onScopeDispose(() => {
    stopped = true;
    window.clearTimeout(timer);
  });
}
