import { flushPromises, mount } from '@vue/test-utils';
import { createPinia, setActivePinia } from 'pinia';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { defineComponent, h, ref, type Component } from 'vue';
import { loadAhead } from '@/load-ahead';
import { useUi } from '@/stores/ui';

const dialog = { __esModule: true, default: defineComponent(() => () => h('p', 'the dialog')) };

/** A page that opens a dialog. */
function page(load: () => Promise<{ default: Component }>) {
  const open = ref(false);
  const wrapper = mount(
    defineComponent(() => {
      const Dialog = loadAhead(load, () => (open.value = false));
      return () => (open.value ? h(Dialog) : null);
    }),
  );
  return { open, wrapper };
}

describe('the code of a dialog', () => {
  beforeEach(() => {
    setActivePinia(createPinia());
    vi.useFakeTimers();
  });
  afterEach(() => vi.useRealTimers());

  it('is fetched before it is asked for, so that it is there when the server no longer has it', async () => {
    const load = vi.fn(async () => dialog);
    page(load);
    expect(load).not.toHaveBeenCalled();
    vi.advanceTimersByTime(60_000);
    expect(load).toHaveBeenCalledOnce();
  });

  it('that cannot be had is told, with the way out, and can be asked for again', async () => {
    const load = vi.fn<() => Promise<typeof dialog>>(() => Promise.reject(new TypeError('gone')));
    const { open, wrapper } = page(load);
    vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    wrapper.vm.$.appContext.config.errorHandler = () => undefined;
    open.value = true;
    await flushPromises();
    expect(open.value).toBe(false);
    expect(useUi().toasts.map(({ tone, undo }) => [tone, undo !== undefined])).toEqual([['danger', true]]);
    load.mockResolvedValue(dialog);
    open.value = true;
    await flushPromises();
    expect(wrapper.text()).toBe('the dialog');
  });
});
