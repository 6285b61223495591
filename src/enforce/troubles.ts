import { errorMessage } from '../util/errors.js';
import type { Core } from './core.js';

/** What goes wrong in the responder itself, told to whoever must know. */

/** At start: a backend other than the wanted one, a journal that could not be read whole. */
export function tellStart(core: Core, start: { fallback: string | undefined; badLines: number }): void {
  const { emit, backend } = core;
  const { fallback, badLines } = start;
  if (fallback !== undefined) {
    const isDry = backend.name === 'dry-run';
    emit.incident({
      severity: isDry ? 'high' : 'medium',
      code: 'enforce.backend_fallback',
      message: isDry ? `Nothing can be blocked, decisions are only counted: ${fallback}` : fallback,
      details: { backend: backend.name },
    });
  }
  if (badLines > 0) {
    emit.incident({
      severity: 'medium',
      code: 'enforce.journal_damaged',
      message: `${badLines} damaged lines of the responder's journal were skipped.`,
      details: { badLines },
    });
  }
}

export function tellBackendError(core: Core, error: unknown): void {
  core.log.error({ error: errorMessage(error) }, 'a kernel transaction failed');
  core.emit.incident({
    severity: 'critical',
    code: 'enforce.transaction_failed',
    message: `The kernel refused a transaction: ${errorMessage(error)}`,
    details: {},
  });
}

export function tellJournalError(core: Core, error: unknown): void {
  core.log.error({ error: errorMessage(error) }, 'the journal cannot be written');
  core.emit.incident({
    severity: 'high',
    code: 'enforce.journal_failed',
    message: `Blocks are enforced but would not survive a restart: ${errorMessage(error)}`,
    details: { dir: core.options.state_dir },
  });
}
