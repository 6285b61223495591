import type { bulkDecisionOperations, ImportRequest, ImportResult } from '../../contract/http.js';
import type { Decision } from '../../domain/decision.js';
import { AppError } from '../../util/errors.js';
import { canonicalAddress } from '../../util/ip.js';
import type { Actor, Control } from '../deps.js';
import type { Handlers } from '../request.js';

type Item = ImportResult['items'][number];

/** Refusals of one value that do not end the whole import. */
const OUTCOME: Readonly<Record<string, Item['outcome']>> = {
  'decision.protected': 'protected',
  'decision.allowed': 'allowed',
  'decision.warned': 'shared',
  'decision.invalid': 'invalid',
};

export function bulkDecisionHandlers({
  control,
}: {
  control: Control;
}): Pick<Handlers, keyof typeof bulkDecisionOperations> {
  async function importOne(value: string, { values: _values, dryRun, ...request }: ImportRequest, actor: Actor) {
    try {
      const decision = { ...request, value };
      if (dryRun === true) await control.checkDecision(decision, actor);
      const made = dryRun === true ? null : await control.addDecision(decision, actor);
      return { value, outcome: 'ok' as const, message: '', decisionId: made?.id ?? null };
    } catch (error) {
      const outcome = error instanceof AppError ? OUTCOME[error.code] : undefined;
      if (outcome === undefined) throw error;
      return { value, outcome, message: (error as AppError).message, decisionId: null };
    }
  }

  return {
    async releaseDecisions(request) {
      const { ids, reason } = request.body;
      const [released, gone]: [string[], string[]] = [[], []];
      try {
        for (const id of new Set(ids)) {
          try {
            await control.releaseDecision(id, reason, request.actor);
            released.push(id);
          } catch (error) {
            if (!(error instanceof AppError) || error.code !== 'decision.not_found') throw error;
            gone.push(id);
          }
        }
      } finally {
        // Also when one failed in the middle: what was done was done.
        const after = { released };
        await request.audit({ action: 'decision.bulk_release', object: `${released.length}`, reason, after });
      }
      return { released, gone };
    },
    async importDecisions(request) {
      const { body, actor } = request;
      const isBlock = ({ simulated, action }: Decision): boolean => !simulated && action === 'block';
      const blocks = control.decisionsInForce().filter(isBlock);
      const inForce = new Set(blocks.map(({ value }) => value));
      const seen = new Set<string>();
      const items: Item[] = [];
      const made = (): Item[] => items.filter(({ outcome }) => outcome === 'ok');
      try {
        for (const text of body.values) {
          const value = canonicalAddress(text);
          const refuse = (outcome: Item['outcome'], message: string): void => {
            items.push({ value: value ?? text, outcome, message, decisionId: null });
          };
          if (value === undefined) refuse('invalid', 'It is not an address or prefix.');
          else if (seen.has(value)) refuse('repeated', 'It stands in the list before.');
          else if (inForce.has(value)) refuse('known', 'A decision about it is in force already.');
          else items.push(await importOne(value, body, actor));
          if (value !== undefined) seen.add(value);
        }
      } finally {
        if (body.dryRun !== true && made().length > 0) {
          const after = { durationSecs: body.durationSecs, values: made().map(({ value }) => value) };
          await request.audit({ action: 'decision.import', object: `${made().length}`, reason: body.reason, after });
        }
      }
      return { items, ok: made().length };
    },
  };
}
