import { setTimeout as delay } from 'node:timers/promises';

/** Asks again every `everyMs` until the answer is neither undefined nor false; fails by name when the time is over. */
export async function waitFor<T>(
  what: string,
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  { limitMs = 60_000, everyMs = 20 } = {},
): Promise<T> {
  const end = performance.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > end) throw new Error(`${what}: not within ${limitMs} ms`);
    await delay(everyMs);
  }
}
