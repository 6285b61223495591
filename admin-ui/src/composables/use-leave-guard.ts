import { onScopeDispose } from 'vue';
import { onBeforeRouteLeave } from 'vue-router';
import { useUi, type ConfirmRequest } from '@/stores/ui';

/** Asks before a page with unsaved work is left or closed. */
export function useLeaveGuard(unsaved: () => boolean, question: ConfirmRequest): void {
  const ui = useUi();
  const onUnload = (event: BeforeUnloadEvent): void => {
    if (unsaved()) event.preventDefault();
  };
  window.addEventListener('beforeunload', onUnload);
  onScopeDispose(() => window.removeEventListener('beforeunload', onUnload));
  onBeforeRouteLeave(async () => !unsaved() || (await ui.confirm(question)) !== null);
}
