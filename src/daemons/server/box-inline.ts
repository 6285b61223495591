import type { LoadedConfig } from '../../config/index.js';
import type { InlineDrop } from '../../contract/inline.js';
import type { Detection } from '../../domain/detection.js';
import type { PolicyEngine } from '../../policy/index.js';
import type { Logger } from '../../util/logger.js';
import type { Exemptions } from './decisions.js';
import { openInlineBook, type InlineBook } from './inline.js';
import type { Outlets } from './outlets.js';

export interface BoxInlineDeps {
  engine: PolicyEngine;
  exemptions: Exemptions;
  pausedUntilMs(): number;
  outlets: Outlets;
  push(detection: Detection): void;
  stopped(drops: readonly InlineDrop[]): void;
  /** Something to count; what it is stands in the log. */
  problem(): void;
  log: Logger;
}

/**
 * Inline verdicts on a box of a fleet: it has no database and no console, so the mode is that of its configuration, a
 * transition is in its log, and what was stopped is told by a server.
 */
export function openBoxInline(config: LoadedConfig, deps: BoxInlineDeps): Promise<InlineBook> {
  const { engine, exemptions, outlets, log } = deps;
  return openInlineBook(config, {
    settings: { mode: () => config.mode, pausedUntilMs: deps.pausedUntilMs },
    engine,
    exempt: { exemptions },
    store: {
      settings: { get: () => Promise.resolve(undefined), set: () => Promise.resolve() },
      audit: { append: () => Promise.resolve() },
    },
    outlets,
    problems: { add: ({ code, message }) => (deps.problem(), log.warn({ code }, message)) },
    push: deps.push,
    stopped: deps.stopped,
    log,
  });
}
