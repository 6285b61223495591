import { flushPromises } from '@vue/test-utils';
import { createPinia, setActivePinia } from 'pinia';
import { beforeEach, describe, expect, it } from 'vitest';
import { computed, effectScope, nextTick, ref } from 'vue';
import { inParts } from '@/api/in-parts';
import type { Page } from '@/api/types';
import { usePagedList } from '@/composables/use-paged-list';
import { MOST_SELECTED, useWideSelection } from '@/composables/use-wide-selection';
import { useListKeys } from '@/keys/use-list-keys';

interface Row {
  id: string;
}

/** So many rows behind numeric cursors, half of them for a search. */
function server(total: number) {
  const asked: number[] = [];
  const fetch = async (query: { cursor?: string; limit?: number; q?: string }): Promise<Page<Row>> => {
    const { cursor = '0', limit = 50, q } = query;
    const all = q ? total / 2 : total;
    asked.push(limit);
    const from = Number(cursor);
    const items = Array.from({ length: Math.min(limit, all - from) }, (_, i) => ({ id: `${q ?? ''}${from + i}` }));
    return { items, nextCursor: from + limit < all ? String(from + limit) : null };
  };
  return { fetch, asked };
}

async function open(total: number) {
  const q = ref('');
  const { fetch, asked } = server(total);
  const made = effectScope().run(() => {
    const list = usePagedList<Row>(fetch, { key: (row) => row.id, q });
    const keys = useListKeys(
      computed(() => list.items.value.map(({ id }) => id)),
      () => undefined,
    );
    return { list, keys, wide: useWideSelection(list, keys, fetch, () => q.value) };
  });
  if (!made) throw new Error('no scope');
  await flushPromises();
  return { ...made, q, asked };
}

beforeEach(() => setActivePinia(createPinia()));

describe('a selection beyond the page', () => {
  it('is offered when the whole page is selected and there is more, and then holds every row once', async () => {
    const { list, keys, wide } = await open(730);
    expect(wide.canExtend.value).toBe(false);
    keys.selectAll(true);
    await nextTick();
    expect([wide.rows.value.length, wide.canExtend.value]).toEqual([50, true]);
    await wide.extend();
    expect(new Set(wide.rows.value.map(({ id }) => id)).size).toBe(730);
    expect([wide.canExtend.value, wide.fetched.value]).toEqual([false, null]);
    // A row of the page that changes by itself is the same row.
    list.patch({ id: '3' });
    await nextTick();
    expect(wide.rows.value).toHaveLength(730);
    keys.toggle('3');
    await nextTick();
    expect(wide.rows.value).toHaveLength(49);
  });

  it('is what the search finds, and not more than can be worked on at once', async () => {
    const { keys, wide, q } = await open(20_000);
    q.value = 'x';
    await flushPromises();
    keys.selectAll(true);
    await nextTick();
    await wide.extend();
    expect(wide.rows.value).toHaveLength(MOST_SELECTED);
    expect(wide.rows.value.every(({ id }) => id.startsWith('x'))).toBe(true);
    q.value = 'y';
    await flushPromises();
    expect(wide.rows.value).toEqual([]);
  });

  it('is given up when what is selected changes while it is fetched', async () => {
    const { keys, wide } = await open(730);
    keys.selectAll(true);
    await nextTick();
    const extending = wide.extend();
    keys.selectAll(false);
    await nextTick();
    await extending;
    expect([wide.rows.value.length, wide.fetched.value]).toEqual([0, null]);
  });

  it('is not offered where one page holds everything', async () => {
    const { keys, wide } = await open(20);
    keys.selectAll(true);
    await nextTick();
    expect(wide.canExtend.value).toBe(false);
  });
});

it('many ids are sent in parts, each once and in order', async () => {
  const ids = Array.from({ length: 1201 }, (_, i) => String(i));
  const parts = await inParts(ids, 500, async (part) => part);
  expect(parts.map(({ length }) => length)).toEqual([500, 500, 201]);
  expect(parts.flat()).toEqual(ids);
  expect(await inParts([], 500, async (part) => part)).toEqual([]);
});
