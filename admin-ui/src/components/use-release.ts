import type { Decision } from '@/api/types';
import { m } from '@/messages';
import { useDecisions } from '@/stores/decisions';
import { useUi } from '@/stores/ui';
import { describeRemaining, describeScope } from './decision-text';

/** Asks with scope and remaining time, then releases. */
export function useRelease(): {
  release: (d: Decision) => Promise<void>;
  releaseAndAllow: (d: Decision) => Promise<void>;
} {
  const ui = useUi();
  const decisions = useDecisions();
  return {
    async release(d) {
      const reason = await ui.confirm({
        title: m.blocks.releaseTitle(d.value),
        lines: m.blocks.releaseLines(describeScope(d), describeRemaining(d, Date.now())),
        confirm: m.blocks.release,
        reason: { label: m.blocks.reasonLabel, value: m.blocks.releaseReason },
      });
      if (reason !== null) await decisions.release(d, reason);
    },
    async releaseAndAllow(d) {
      const day = 86_400;
      const comment = await ui.confirm({
        title: m.blocks.allowTitle(d.value),
        lines: [
          ...m.blocks.releaseLines(describeScope(d), describeRemaining(d, Date.now())),
          m.allow.effect(d.value, m.blockDialog.forTime(m.duration.hour24)),
        ],
        confirm: m.blocks.releaseAllow,
        reason: { label: m.blocks.reasonLabel, value: m.blocks.releaseReason },
      });
      if (comment !== null) await decisions.releaseAndAllow(d, day, comment);
    },
  };
}
