import { useFollowMany } from './follow-many';
import { bulkApi } from '@/api/bulk';
import { api } from '@/api';
import type { Decision } from '@/api/types';
import { useAttempt } from '@/composables/use-attempt';
import { useConfirmed } from '@/composables/use-confirmed';
import { m } from '@/messages';

/** Blocks are made again one by one; the server takes 240 changes a minute. */
const MOST_UNDONE = 200;

/** Asks, releases many decisions, and offers to make them again for the time that they had left. */
export function useBulkRelease(done: () => void): (decisions: readonly Decision[]) => Promise<void> {
  const attempt = useAttempt();
  const confirmed = useConfirmed();
  const follow = useFollowMany();

  const again = (decisions: readonly Decision[]): Promise<void> =>
    attempt(async () => {
      const ids: string[] = [];
      for (const { value, scope, action, proto, port, reason, expiresMs } of decisions) {
        const durationSecs = expiresMs === 0 ? 0 : Math.max(1, Math.ceil((expiresMs - Date.now()) / 1000));
        const service = port === undefined || proto === undefined ? {} : { port, proto };
        const request = { value, scope, action, durationSecs, reason, override: true, ...service };
        ids.push((await api.addDecision(request)).id);
      }
      void follow(ids, { goal: 'applied', name: m.bulk.decisions(ids.length), done: m.bulk.again(ids.length) });
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
        const released = await bulkApi.release(
          decisions.map(({ id }) => id),
          reason,
        );
        const isLifted = new Set(released);
        // What was only proposed must not come back as a real block.
        const lifted = decisions.filter(({ id, simulated }) => isLifted.has(id) && !simulated);
        void follow(released, {
          goal: 'revoked',
          name: m.bulk.decisions(released.length),
          done: m.bulk.released(released.length),
          undo: lifted.length > 0 && lifted.length <= MOST_UNDONE ? () => void again(lifted) : undefined,
        });
        done();
      },
    );
}
