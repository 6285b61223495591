import type { IntelMatch, IntelSummary } from '../contract/http.js';

type Awaitable<T> = T | Promise<T>;

/** What the API asks about threat intelligence. */
export interface IntelControl {
  summary(): Awaitable<IntelSummary>;
  /** @throws AppError intel.no_such_feed, intel.busy */
  refresh(feeds: readonly string[] | undefined): Awaitable<IntelSummary>;
  /** @throws AppError intel.not_an_indicator */
  lookup(value: string): Awaitable<IntelMatch[]>;
}
