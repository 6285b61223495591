import { defineAsyncComponent, onMounted, type Component } from 'vue';
import { m } from './messages';
import { useUi } from './stores/ui';

const REST_MS = 1500;

/**
 * A dialog whose code does not come with the first screen, but soon after it: a block must be possible when the server was
 * upgraded meanwhile (the old files are gone then) or does not answer for a while. Call it in a component's setup.
 * @param failed takes back what asked for the dialog, so that it can be asked for again
 */
export function loadAhead(load: () => Promise<{ default: Component }>, failed: () => void): Component {
  onMounted(() => {
    window.setTimeout(() => void load().catch(() => undefined), REST_MS);
  });
  return defineAsyncComponent({
    loader: load,
    onError(_error, _retry, fail) {
      const again = { label: m.state.loadAgain, run: () => location.reload() };
      useUi().toast('danger', m.state.codeNotLoaded, again);
      failed();
      fail();
    },
  });
}
