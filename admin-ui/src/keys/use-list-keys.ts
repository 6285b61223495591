import { nextTick, onScopeDispose, ref, watch, type Ref } from 'vue';
import { pushKeys, type KeyBindings } from './keyboard';

export interface ListKeys {
  /** Key of the row under the cursor, or empty. */
  current: Ref<string>;
  selected: Ref<Set<string>>;
  toggle: (key: string) => void;
  selectAll: (on: boolean) => void;
}

/** Cursor and selection of a list: j and k move, x selects, Enter opens; `actions` adds keys that act. */
export function useListKeys(keys: Ref<string[]>, open: (key: string) => void, actions: KeyBindings = {}): ListKeys {
  const current = ref('');
  const selected = ref(new Set<string>());

  watch(keys, (next) => {
    if (current.value && !next.includes(current.value)) current.value = '';
    selected.value = new Set([...selected.value].filter((key) => next.includes(key)));
  });

  function move(step: number): void {
    const list = keys.value;
    if (list.length === 0) return;
    const from = list.indexOf(current.value);
    const to = from < 0 ? (step > 0 ? 0 : list.length - 1) : Math.min(list.length - 1, Math.max(0, from + step));
    current.value = list[to] ?? '';
    void nextTick(() => {
      document.querySelector('tr[data-cursor="true"]')?.scrollIntoView({ block: 'nearest' });
    });
  }

  function toggle(key: string): void {
    const next = new Set(selected.value);
    if (!next.delete(key)) next.add(key);
    selected.value = next;
  }

  const drop = pushKeys({
    j: () => move(1),
    k: () => move(-1),
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    x: () => {
      if (current.value) toggle(current.value);
    },
    Enter: () => {
      if (current.value) open(current.value);
    },
    Escape: () => {
      selected.value = new Set();
    },
    ...actions,
  });
  onScopeDispose(drop);

  return {
    current,
    selected,
    toggle,
    selectAll: (on) => {
      selected.value = on ? new Set(keys.value) : new Set();
    },
  };
}
