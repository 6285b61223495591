import { flushPromises } from '@vue/test-utils';
import { describe, expect, it, vi } from 'vitest';
import { effectScope, nextTick, ref } from 'vue';
import { ApiError } from '@/api/errors';
import type { Page } from '@/api/types';
import { usePagedList } from '@/composables/use-paged-list';

interface Row {
  id: string;
  text?: string;
}
const rows = (from: number, n: number): Row[] => Array.from({ length: n }, (_, i) => ({ id: String(from + i) }));

/** 120 rows behind numeric cursors. */
const server = async (query: { cursor?: string; limit: number; q?: string }): Promise<Page<Row>> => {
  const from = Number(query.cursor ?? 0);
  const next = from + query.limit;
  return { items: rows(from, Math.min(query.limit, 120 - from)), nextCursor: next < 120 ? String(next) : null };
};
const inScope = <T>(run: () => T): T => {
  const result = effectScope().run(run);
  if (result === undefined) throw new Error('no result');
  return result;
};

describe('a server-paged list', () => {
  it('goes forth and back over cursors and holds one page', async () => {
    const list = inScope(() => usePagedList<Row>(server, { key: (r) => r.id }));
    await flushPromises();
    expect(list.items.value).toHaveLength(50);
    await list.next();
    await list.next();
    expect(list.page.value).toBe(2);
    expect(list.items.value.map((r) => r.id)).toEqual(rows(100, 20).map((r) => r.id));
    expect(list.hasNext.value).toBe(false);
    await list.next();
    expect(list.page.value).toBe(2);
    await list.previous();
    expect(list.items.value[0]?.id).toBe('50');
  });

  it('changes a row in place and never moves or adds one by itself', async () => {
    const list = inScope(() => usePagedList<Row>(server, { key: (r) => r.id }));
    await flushPromises();
    expect(list.patch({ id: '3', text: 'changed' })).toBe(true);
    expect(list.items.value[3]).toEqual({ id: '3', text: 'changed' });
    expect(list.patch({ id: '999' })).toBe(false);
    expect(list.items.value).toHaveLength(50);
    list.fresh.value = 4;
    await list.showFresh();
    expect(list.fresh.value).toBe(0);
  });

  it('shows the answer to the newest question when answers overtake each other', async () => {
    const answers: ((page: Page<Row>) => void)[] = [];
    const q = ref('a');
    const list = inScope(() =>
      usePagedList<Row>(() => new Promise<Page<Row>>((resolve) => answers.push(resolve)), { key: (r) => r.id, q }),
    );
    q.value = 'b';
    await nextTick();
    answers[1]?.({ items: [{ id: 'new' }], nextCursor: null });
    answers[0]?.({ items: [{ id: 'old' }], nextCursor: null });
    await flushPromises();
    expect(list.items.value).toEqual([{ id: 'new' }]);
  });

  it('keeps the rows and names the error when the server goes away', async () => {
    const fetchPage = vi.fn(server);
    const list = inScope(() => usePagedList<Row>(fetchPage, { key: (r) => r.id }));
    await flushPromises();
    fetchPage.mockRejectedValueOnce(new ApiError(0, 'network.unreachable', 'away'));
    await list.reload();
    expect(list.error.value?.isOffline).toBe(true);
    expect(list.items.value).toHaveLength(50);
    await list.reload();
    expect(list.error.value).toBeNull();
  });

  it('goes on by itself while the server answers with short pages, until one page is full', async () => {
    const asked: number[] = [];
    /** Every third row is found, and each answer looks at 30 of 1000. */
    const sparse = async ({ cursor, limit }: { cursor?: string; limit: number }): Promise<Page<Row>> => {
      asked.push(limit);
      const from = Number(cursor ?? 0);
      const items: Row[] = [];
      let at = from;
      for (; at < Math.min(1000, from + 30) && items.length < limit; at += 1)
        if (at % 3 === 0) items.push({ id: String(at) });
      return { items, nextCursor: at < 1000 ? String(at) : null };
    };
    const list = inScope(() => usePagedList<Row>(sparse, { key: (r) => r.id }));
    await flushPromises();
    expect(list.items.value.map((r) => r.id)).toEqual(Array.from({ length: 50 }, (_, i) => String(i * 3)));
    expect(asked).toEqual([50, 40, 30, 20, 10]);
    await list.next();
    expect(list.items.value[0]?.id).toBe('150');
    expect(list.items.value).toHaveLength(50);
    await list.previous();
    expect(list.items.value[0]?.id).toBe('0');
  });

  it('leaves it to the reader to search on when nothing was found for long, and stops when the list is left', async () => {
    let asked = 0;
    const barren = async (query: { cursor?: string }): Promise<Page<Row>> => {
      asked += 1;
      const at = Number(query.cursor ?? 0) + 1;
      return at < 65 ? { items: [], nextCursor: String(at) } : { items: [{ id: 'found' }], nextCursor: null };
    };
    const list = inScope(() => usePagedList<Row>(barren, { key: (r) => r.id }));
    await flushPromises();
    expect([asked, list.loading.value, list.hasNext.value, list.items.value.length]).toEqual([60, false, true, 0]);
    await list.next();
    expect(list.items.value.map((r) => r.id)).toEqual(['found']);

    const scope = effectScope();
    scope.run(() => usePagedList<Row>(barren, { key: (r) => r.id }));
    asked = 0;
    scope.stop();
    await flushPromises();
    expect(asked).toBeLessThan(3);
  });

  it('comes by itself when the server could not give it, and is not asked for again when it was refused', async () => {
    vi.useFakeTimers();
    for (const [status, asked] of [
      [503, 2],
      [403, 1],
    ] as const) {
      let refusals = 0;
      const fetchPage = vi.fn((query: { limit: number }) =>
        refusals++ === 0 ? Promise.reject(new ApiError(status, 'x', 'away')) : server(query),
      );
      const list = inScope(() => usePagedList<Row>(fetchPage, { key: (r) => r.id }));
      await vi.advanceTimersByTimeAsync(60_000);
      expect([fetchPage.mock.calls.length, list.items.value.length]).toEqual([asked, asked === 2 ? 50 : 0]);
    }
    vi.useRealTimers();
  });
});
