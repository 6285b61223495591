import { useAttempt } from './use-attempt';
import { m } from '@/messages';
import { useSession } from '@/stores/session';
import { useUi } from '@/stores/ui';

interface Inbox<T> {
  chosen: () => T[];
  list: { reload: () => Promise<void> };
  wide: { narrow: () => void };
}

/** Gives the chosen findings another state at once; the message that says so takes it back. */
export function useStateChange<S extends string, T extends { id: string; state: S }>(
  { chosen, list, wide }: Inbox<T>,
  apply: (ids: string[], state: S) => Promise<unknown>,
  done: (count: number, state: S) => string,
): (state: S) => Promise<void> {
  const session = useSession();
  const ui = useUi();
  const attempt = useAttempt();

  async function restore(before: readonly T[]): Promise<void> {
    for (const state of new Set(before.map((row) => row.state))) {
      await apply(
        before.filter((row) => row.state === state).map((row) => row.id),
        state,
      );
    }
    await list.reload();
  }

  return async (state) => {
    const before = chosen();
    if (before.length === 0 || !session.may('analyst')) return;
    await attempt(async () => {
      await apply(
        before.map((row) => row.id),
        state,
      );
      wide.narrow();
      ui.toast('ok', done(before.length, state), {
        label: m.action.undo,
        run: () => void attempt(() => restore(before)),
      });
      await list.reload();
    });
  };
}
