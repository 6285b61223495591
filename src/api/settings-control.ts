import type { Setting, SettingsPatch, Setup, SetupChange } from '../contract/http.js';
import type { Actor } from './deps.js';

type Awaitable<T> = T | Promise<T>;

/** The effective configuration, and the first-run wizard on top of it. */
export interface SettingsControl {
  list(): Awaitable<Setting[]>;
  /**
   * All or none.
   * @returns values before and after.
   * @throws AppError settings.not_changeable, config.invalid
   */
  change(
    changes: SettingsPatch['changes'],
    actor: Actor,
  ): Awaitable<{ before: Record<string, unknown>; after: Record<string, unknown> }>;
  setup(): Awaitable<Setup>;
  changeSetup(change: SetupChange, actor: Actor): Awaitable<void>;
}
