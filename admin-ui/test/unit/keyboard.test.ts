import { mount } from '@vue/test-utils';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { defineComponent, ref } from 'vue';
import { handleKey, pushKeys } from '@/keys/keyboard';
import { useListKeys, type ListKeys } from '@/keys/use-list-keys';

const drops: (() => void)[] = [];
const bind = (bindings: Parameters<typeof pushKeys>[0]): void => void drops.push(pushKeys(bindings));
const press = (key: string, target: EventTarget = document.body, init: KeyboardEventInit = {}): void => {
  target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, composed: true, cancelable: true, ...init }));
};

beforeEach(() => {
  document.body.innerHTML = '';
});
afterEach(() => {
  while (drops.length > 0) drops.pop()?.();
});

describe('keys', () => {
  it('run what the top layer binds', () => {
    const below = vi.fn();
    const above = vi.fn();
    bind({ e: below, j: below });
    bind({ e: above });
    press('e');
    press('j');
    expect(above).toHaveBeenCalledTimes(1);
    expect(below).toHaveBeenCalledTimes(1);
  });

  it('rest while somebody types', () => {
    const run = vi.fn();
    bind({ e: run });
    const input = document.body.appendChild(document.createElement('input'));
    press('e', input);
    expect(run).not.toHaveBeenCalled();
    press('e');
    expect(run).toHaveBeenCalledTimes(1);
  });

  it('rest while a dialog is open', () => {
    const run = vi.fn();
    bind({ e: run });
    const dialog = document.body.appendChild(document.createElement('div'));
    dialog.setAttribute('aria-modal', 'true');
    press('e');
    expect(run).not.toHaveBeenCalled();
    dialog.remove();
    press('e');
    expect(run).toHaveBeenCalledTimes(1);
  });

  it('leave combinations with Ctrl, Alt and Meta to the browser', () => {
    const run = vi.fn();
    bind({ a: run });
    press('a', document.body, { ctrlKey: true });
    press('a', document.body, { metaKey: true });
    expect(run).not.toHaveBeenCalled();
  });

  it('leave Enter to the control that has the focus', () => {
    const run = vi.fn();
    bind({ Enter: run });
    const button = document.body.appendChild(document.createElement('button'));
    press('Enter', button);
    expect(run).not.toHaveBeenCalled();
    press('Enter');
    expect(run).toHaveBeenCalledTimes(1);
  });

  it('follow a sequence within a second only', () => {
    const go = vi.fn();
    const i = vi.fn();
    bind({ 'g i': go, i });
    const at = (key: string, ms: number): void => handleKey(new KeyboardEvent('keydown', { key }), ms);
    at('g', 0);
    at('i', 400);
    expect(go).toHaveBeenCalledTimes(1);
    at('g', 10_000);
    at('i', 11_500);
    expect(go).toHaveBeenCalledTimes(1);
    expect(i).toHaveBeenCalledTimes(1);
  });
});

describe('list keys', () => {
  function mountList(rows: string[], open = vi.fn(), archive = vi.fn()) {
    const keys = ref(rows);
    let list!: ListKeys;
    const wrapper = mount(
      defineComponent({
        setup() {
          list = useListKeys(keys, open, { e: archive });
          return () => null;
        },
      }),
    );
    drops.push(() => wrapper.unmount());
    return { keys, open, archive, list };
  }

  it('move, stop at both ends, select and open', () => {
    const { list, open } = mountList(['a', 'b', 'c']);
    press('k');
    expect(list.current.value).toBe('c');
    press('j');
    expect(list.current.value).toBe('c');
    press('k');
    press('x');
    expect([...list.selected.value]).toEqual(['b']);
    press('Enter');
    expect(open).toHaveBeenCalledWith('b');
    press('x');
    expect(list.selected.value.size).toBe(0);
  });

  it('forget rows that have left the page', async () => {
    const { list, keys } = mountList(['a', 'b']);
    press('j');
    press('x');
    keys.value = ['b', 'c'];
    await Promise.resolve();
    expect(list.current.value).toBe('');
    expect(list.selected.value.size).toBe(0);
  });

  it('run actions, and Escape drops the selection', () => {
    const { list, archive } = mountList(['a', 'b']);
    list.selectAll(true);
    press('e');
    expect(archive).toHaveBeenCalledTimes(1);
    press('Escape');
    expect(list.selected.value.size).toBe(0);
  });
});
