import { computed, ref, shallowRef, watch, type ComputedRef, type Ref } from 'vue';
import { useAttempt } from './use-attempt';
import type { PagedList } from './use-paged-list';
import type { ListQuery } from '@/api';
import type { Page } from '@/api/types';
import type { ListKeys } from '@/keys/use-list-keys';

/** So many rows at most are worked on at once. */
export const MOST_SELECTED = 5000;
const PER_PAGE = 200;

export interface WideSelection<T> {
  /** The selected rows, those of other pages too. */
  rows: ComputedRef<T[]>;
  /** The whole page is selected, and the search finds more. */
  canExtend: ComputedRef<boolean>;
  /** How many rows were fetched so far; null when none are being fetched. */
  fetched: Ref<number | null>;
  /** Selects everything that the search finds, up to {@link MOST_SELECTED} of the newest. */
  extend: () => Promise<void>;
  /** Only rows of the page from here on: what is known of the others is no longer so. */
  narrow: () => void;
}

const isSame = (a: ReadonlySet<string>, b: ReadonlySet<string>): boolean =>
  a.size === b.size && [...a].every((key) => b.has(key));

/** What is selected of a list: rows of the page, or all that its search finds, until the selection changes. */
export function useWideSelection<T>(
  list: PagedList<T>,
  keys: ListKeys,
  fetch: (query: ListQuery) => Promise<Page<T>>,
  q: () => string,
): WideSelection<T> {
  const attempt = useAttempt();
  const wide = shallowRef<T[] | null>(null);
  const fetched = ref<number | null>(null);
  let run = 0;

  function narrow(): void {
    run += 1;
    wide.value = null;
    fetched.value = null;
  }
  // A row that changes by itself gives a new set of the same rows.
  watch(keys.selected, (now, before) => {
    if (!isSame(now, before)) narrow();
  });

  async function extend(): Promise<void> {
    const mine = ++run;
    const found: T[] = [];
    let cursor: string | null = null;
    fetched.value = 0;
    await attempt(async () => {
      do {
        const query = { limit: PER_PAGE, ...(q() ? { q: q() } : {}), ...(cursor === null ? {} : { cursor }) };
        const page: Page<T> = await fetch(query);
        if (run !== mine) return;
        found.push(...page.items);
        cursor = page.nextCursor;
        fetched.value = found.length;
      } while (cursor !== null && found.length < MOST_SELECTED);
      wide.value = found.slice(0, MOST_SELECTED);
    });
    if (run === mine) fetched.value = null;
  }

  return {
    rows: computed(() => wide.value ?? list.items.value.filter((row) => keys.selected.value.has(list.keyOf(row)))),
    canExtend: computed(() => {
      const onPage = list.items.value.length;
      const isMore = list.hasNext.value || list.page.value > 0;
      return wide.value === null && isMore && onPage > 0 && keys.selected.value.size === onPage;
    }),
    fetched,
    extend,
    narrow,
  };
}
