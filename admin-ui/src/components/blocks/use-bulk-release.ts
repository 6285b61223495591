import { bulkApi } from '@/api/bulk';
import { api } from '@/api';
import type { Decision } from '@/api/types';
import { useAttempt } from '@/composables/use-attempt';
import { useConfirmed } from '@/composables/use-confirmed';
import { m } from '@/messages';
import { useUi } from '@/stores/ui';

/** Asks, releases many decisions, and offers to make them again for the time that they had left. */
export function useBulkRelease(done: () => void): (decisions: readonly Decision[]) => Promise<void> {
  const ui = useUi();
  const attempt = useAttempt();
  const confirmed = useConfirmed();

  const again = (decisions: readonly Decision[]): Promise<void> =>
    attempt(async () => {
      for (const { value, scope, action, proto, port, reason, expiresMs } of decisions) {
        const durationSecs = expiresMs === 0 ? 0 : Math.max(1, Math.ceil((expiresMs - Date.now()) / 1000));
        const service = port === undefined || proto === undefined ? {} : { port, proto };
        await api.addDecision({ value, scope, action, durationSecs, reason, override: true, ...service });
      }
      ui.toast('ok', m.bulk.again(decisions.length));
      done();
    });

  return (decisions) =>
    confirmed(
      {
        title: m.bulk.releaseTitle(decisions.length),
        lines: [
          decisions
            .map(({ value }) => value)
            .slice(0, 8)
            .join(', ') + (decisions.length > 8 ? ' …' : ''),
          m.bulk.releaseLine,
        ],
        confirm: m.bulk.release,
        reason: { label: m.blocks.reasonLabel, value: m.blocks.releaseReason },
      },
      async (reason) => {
        const { released } = await bulkApi.release(
          decisions.map(({ id }) => id),
          reason,
        );
        const lifted = decisions.filter(({ id }) => released.includes(id));
        ui.toast('ok', m.bulk.released(released.length), { label: m.action.undo, run: () => void again(lifted) });
        done();
      },
    );
}
