import type { Decision } from '../../domain/decision.js';

const MAX_ALERTS = 20_000;

type Response = 'blocked' | 'simulated';

/** What was done about each alert lately, so that an alert that grows while its block is in force still says so. */
export interface ResponseMemory {
  /** @param decision what was decided just now, if anything. @returns what has been done about the alert so far. */
  of(alertId: string, decision: Decision | undefined): Response | undefined;
}

export function createResponseMemory(): ResponseMemory {
  const known = new Map<string, Response>();
  return {
    of(alertId, decision) {
      const before = known.get(alertId);
      if (!decision) return before;
      // A real block is not undone by a later one that was only counted.
      const response = decision.simulated ? (before ?? 'simulated') : 'blocked';
      known.delete(alertId);
      if (known.size >= MAX_ALERTS) {
        const oldest = known.keys().next().value;
        if (oldest !== undefined) known.delete(oldest);
      }
      known.set(alertId, response);
      return response;
    },
  };
}
