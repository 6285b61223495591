import { api } from '@/api';
import { m } from '@/messages';
import { useDecisions } from '@/stores/decisions';
import { useUi } from '@/stores/ui';

interface Following {
  goal: 'applied' | 'revoked';
  /** How many, in words: `3 blocks`. */
  name: string;
  done: string;
  undo?: (() => void) | undefined;
}

/**
 * Reports an action on many decisions in one message, green only after the kernel's word. They go to the kernel in their
 * order, so the word about the last one stands for all.
 */
export function useFollowMany(): (ids: readonly string[], following: Following) => Promise<void> {
  const ui = useUi();
  const decisions = useDecisions();
  return async (ids, { goal, name, done, undo }) => {
    const waiting = goal === 'applied' ? m.toast.applying(name) : m.toast.releasing(name);
    const toast = ui.toast('pending', waiting, undo ? { label: m.action.undo, run: undo } : undefined);
    const lastId = ids.at(-1);
    if (lastId === undefined) return ui.update(toast, 'ok', done);
    const known = await api.decision(lastId).catch(() => null);
    const last = known && (await decisions.confirmation(known.decision, goal));
    const isDone = goal === 'applied' ? last?.enforcement !== 'pending' : last?.enforcement !== 'applied';
    if (!last || !isDone) ui.update(toast, 'warn', m.toast.noConfirmation(name));
    else ui.update(toast, last.simulated ? 'sim' : 'ok', done);
  };
}
