import { computed, onScopeDispose, ref, shallowRef, watch, type Ref } from 'vue';
import { ApiError } from '@/api/errors';
import type { Page } from '@/api/types';
import { usePolling } from '@/composables/use-polling';
import { AGAIN_MS } from '@/composables/use-resource';
import { onResync } from '@/stores/live';

export interface PagedList<T> {
  items: Ref<T[]>;
  error: Ref<ApiError | null>;
  loading: Ref<boolean>;
  /** 0-based. */
  page: Ref<number>;
  hasNext: Ref<boolean>;
  /** Items that arrived since the page was fetched and wait behind the "n new" pill. */
  fresh: Ref<number>;
  reload: () => Promise<void>;
  showFresh: () => Promise<void>;
  next: () => Promise<void>;
  previous: () => Promise<void>;
  /** Replaces an item that is on the page; false when it is not. */
  patch: (item: T) => boolean;
  remove: (key: string) => void;
  /** What tells one item from another. */
  keyOf: (item: T) => string;
}

/**
 * A search that finds little answers with short pages, each after some 50 ms, and a cursor to go on from: so many of them
 * make one page here. After that the reader decides.
 */
const MAX_PARTS = 60;

/**
 * A server-paged list over opaque cursors. It keeps the cursors of the pages gone through, so one can go back;
 * only one page is ever in the document. Rows never move by themselves: new ones are counted in `fresh`.
 */
export function usePagedList<T>(
  fetchPage: (query: { cursor?: string; limit: number; q?: string }, signal: AbortSignal) => Promise<Page<T>>,
  options: { key: (item: T) => string; q?: Ref<string>; limit?: number; depends?: () => unknown },
): PagedList<T> {
  const limit = options.limit ?? 50;
  const items = shallowRef<T[]>([]) as Ref<T[]>;
  const error = shallowRef<ApiError | null>(null);
  const loading = ref(false);
  const page = ref(0);
  const fresh = ref(0);
  const cursors = ref<(string | null)[]>([null]);
  const hasNext = computed(() => typeof cursors.value[page.value + 1] === 'string');
  let running: AbortController | null = null;

  async function open(index: number): Promise<void> {
    running?.abort();
    const mine = new AbortController();
    running = mine;
    loading.value = true;
    let cursor = cursors.value[index];
    const q = options.q?.value;
    try {
      for (let part = 0; part < MAX_PARTS; part += 1) {
        const left = part === 0 ? limit : limit - items.value.length;
        const query = { limit: left, ...(cursor ? { cursor } : {}), ...(q ? { q } : {}) };
        const result = await fetchPage(query, mine.signal);
        if (running !== mine) return;
        items.value = part === 0 ? result.items : [...items.value, ...result.items];
        cursors.value = [...cursors.value.slice(0, index + 1), result.nextCursor];
        page.value = index;
        error.value = null;
        if (index === 0) fresh.value = 0;
        cursor = result.nextCursor;
        if (cursor === null || items.value.length >= limit) break;
      }
    } catch (cause) {
      if (running !== mine || (cause instanceof DOMException && cause.name === 'AbortError')) return;
      error.value = cause instanceof ApiError ? cause : new ApiError(-1, 'console.unexpected', String(cause));
      if (error.value.status === 400 && index > 0) {
        // A cursor the server no longer takes: start over.
        cursors.value = [null];
        void open(0);
      }
    } finally {
      if (running === mine) loading.value = false;
    }
  }

  const first = (): Promise<void> => {
    cursors.value = [null];
    return open(0);
  };

  if (options.q || options.depends) {
    watch([() => options.q?.value, () => options.depends?.()], () => {
      items.value = [];
      void first();
    });
  }
  onResync(() => void open(page.value));
  usePolling(() => open(page.value), { everyMs: AGAIN_MS, wanted: () => error.value?.status === 503 });
  onScopeDispose(() => {
    const last = running;
    running = null;
    last?.abort();
  });
  void first();

  return {
    keyOf: options.key,
    items,
    error,
    loading,
    page,
    hasNext,
    fresh,
    reload: () => open(page.value),
    showFresh: first,
    next: () => (hasNext.value ? open(page.value + 1) : Promise.resolve()),
    previous: () => (page.value > 0 ? open(page.value - 1) : Promise.resolve()),
    patch(item) {
      const key = options.key(item);
      const index = items.value.findIndex((i) => options.key(i) === key);
      if (index < 0) return false;
      items.value = items.value.map((old, i) => (i === index ? { ...old, ...item } : old));
      return true;
    },
    remove(key) {
      items.value = items.value.filter((i) => options.key(i) !== key);
    },
  };
}
