import { shallowRef, watch, type Ref, type ShallowRef } from 'vue';
import { api } from '@/api';

/** How active each incident of the page was in the last day, fetched after the page; without it the page is complete too. */
export function useActivity(incidents: Ref<{ id: string }[]>): ShallowRef<ReadonlyMap<string, number[]>> {
  const activity = shallowRef<ReadonlyMap<string, number[]>>(new Map());
  watch(
    () => incidents.value.map(({ id }) => id).join(','),
    async (ids) => {
      if (ids === '') return;
      try {
        const { items } = await api.incidentActivity(ids.split(','));
        activity.value = new Map(items.map(({ id, counts }) => [id, counts]));
      } catch {
        activity.value = new Map();
      }
    },
  );
  return activity;
}
