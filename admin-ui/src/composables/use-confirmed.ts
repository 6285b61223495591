import { useAttempt } from './use-attempt';
import { useUi, type ConfirmRequest } from '@/stores/ui';

/** Asks first; runs only when the answer is yes, and hands over the reason when one was asked for. */
export function useConfirmed(): (request: ConfirmRequest, run: (reason: string) => Promise<void>) => Promise<void> {
  const ui = useUi();
  const attempt = useAttempt();
  return async (request, run) => {
    const reason = await ui.confirm(request);
    if (reason !== null) await attempt(() => run(reason));
  };
}
