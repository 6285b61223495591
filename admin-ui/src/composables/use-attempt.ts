import { ApiError } from '@/api/errors';
import { useUi } from '@/stores/ui';

/** Runs something that calls the API; a refusal becomes a toast, a bug stays an exception. */
export function useAttempt(): (run: () => Promise<void>) => Promise<void> {
  const ui = useUi();
  return async (run) => {
    try {
      await run();
    } catch (cause) {
      if (!(cause instanceof ApiError)) throw cause;
      ui.toast('danger', cause.problems[0]?.message ?? cause.message);
    }
  };
}
