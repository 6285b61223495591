import type { InlineDrop, InlineMode } from '../contract/inline.js';
import type { InlineStatus, PendingChange } from '../contract/http.js';
import type { Actor } from './deps.js';

/** What the API asks about inline verdicts. */
export interface InlineControl {
  status(): InlineStatus;
  /** @returns the change to confirm, with `confirmSecs`. @throws AppError inline.not_connected */
  setMode(mode: InlineMode, actor: Actor, confirmSecs?: number): Promise<PendingChange | undefined>;
  /** Newest first. */
  drops(): readonly InlineDrop[];
}
