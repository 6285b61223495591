import { computed, type ComputedRef, type Ref, type WritableComputedRef } from 'vue';
import { usePagedList, type PagedList } from './use-paged-list';
import { useUrlChoice } from './use-url-choice';
import { useUrlText } from './use-url-text';
import { useWideSelection, type WideSelection } from './use-wide-selection';
import type { ListQuery } from '@/api';
import type { Page } from '@/api/types';
import type { KeyBindings } from '@/keys/keyboard';
import { useListKeys, type ListKeys } from '@/keys/use-list-keys';
import { useSession } from '@/stores/session';
import { useUi } from '@/stores/ui';

interface Row {
  id: string;
  offender: string;
  title: string;
}

export interface InboxOptions<T extends Row, V extends string> {
  /** The search behind each tab, and its name; the first is where one starts. */
  views: Record<V, { q: string; text: string }>;
  fetch: (query: ListQuery, signal?: AbortSignal) => Promise<Page<T>>;
  open: (id: string) => void;
  /** Keys of this list beside those that every inbox has (b, a and `.`). */
  keys: KeyBindings;
}

export interface Inbox<T, V extends string> {
  q: Ref<string>;
  view: WritableComputedRef<V>;
  views: { key: V; text: string }[];
  /** What the server is asked: the tab's search and the user's. */
  query: ComputedRef<string>;
  list: PagedList<T>;
  keys: ListKeys;
  /** The selected rows, or the one under the cursor. */
  wide: WideSelection<T>;
  chosen: () => T[];
  block: (row?: T) => void;
  /** Selects every row of the page that has the title of a chosen one. */
  selectAlike: () => void;
}

/** A list of findings that is worked through: tabs and search in the address bar, cursor, selection, and keys that act. */
export function useInbox<T extends Row, V extends string>(options: InboxOptions<T, V>): Inbox<T, V> {
  const session = useSession();
  const ui = useUi();
  const names = Object.keys(options.views) as V[];
  const q = useUrlText('q');
  const view = useUrlChoice('view', names);
  const query = computed(() => `${options.views[view.value].q} ${q.value}`.trim());
  const list = usePagedList<T>(options.fetch, { key: (row) => row.id, q: query });
  const ids = computed(() => list.items.value.map((row) => row.id));

  const chosen = (): T[] => {
    if (wide.rows.value.length > 0) return wide.rows.value;
    return list.items.value.filter((row) => row.id === keys.current.value);
  };
  const underCursor = (): T | undefined => list.items.value.find((row) => row.id === keys.current.value) ?? chosen()[0];

  function block(row = underCursor()): void {
    if (row && session.may('operator')) ui.blockDialog = { value: row.offender, reason: row.title };
  }
  function selectAlike(): void {
    const titles = new Set(chosen().map((row) => row.title));
    keys.selected.value = new Set(list.items.value.filter((row) => titles.has(row.title)).map((row) => row.id));
  }
  function allow(): void {
    const row = underCursor();
    if (row && session.may('operator')) ui.allowDialog = { value: row.offender };
  }
  function menu(): void {
    const anchor = document.querySelector<HTMLElement>('tr[data-cursor="true"] [data-testid="address"]');
    const row = underCursor();
    if (anchor && row) ui.addressMenu = { address: row.offender, anchor };
  }

  const keys = useListKeys(ids, options.open, { b: () => block(), a: allow, '.': menu, ...options.keys });
  const wide = useWideSelection(list, keys, options.fetch, () => query.value);
  const views = names.map((key) => ({ key, text: options.views[key].text }));
  return { q, view, views, query, list, keys, wide, chosen, block, selectAlike };
}
