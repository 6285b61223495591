import type { SuppressionRequest, SuppressionRow } from '../contract/http.js';
import type { Actor } from './deps.js';

type Awaitable<T> = T | Promise<T>;

/** What the API asks about suppressions. */
export interface SuppressionsControl {
  list(): Awaitable<SuppressionRow[]>;
  /** @throws AppError suppression.invalid, suppression.too_many */
  add(request: SuppressionRequest, actor: Actor): Awaitable<SuppressionRow>;
  /** @returns what was removed. @throws AppError suppression.not_found */
  remove(id: string): Awaitable<SuppressionRow>;
}
