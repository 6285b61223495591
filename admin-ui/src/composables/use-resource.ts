import { ref, shallowRef, type Ref } from 'vue';
import { ApiError } from '@/api/errors';
import { usePolling } from '@/composables/use-polling';
import { onResync } from '@/stores/live';

export interface Resource<T> {
  data: Ref<T | null>;
  error: Ref<ApiError | null>;
  loading: Ref<boolean>;
  load: () => Promise<void>;
}

/** Until something is asked for again that the server could not give, as while its database is away. */
export const AGAIN_MS = 5000;

/** One thing from the server with its loading and error state; fetched again when live updates were missed. */
export function useResource<T>(fetcher: () => Promise<T>, options: { lazy?: boolean } = {}): Resource<T> {
  const data = shallowRef<T | null>(null);
  const error = shallowRef<ApiError | null>(null);
  const loading = ref(false);
  let run = 0;

  async function load(): Promise<void> {
    run += 1;
    const mine = run;
    loading.value = true;
    try {
      const result = await fetcher();
      if (mine !== run) return;
      data.value = result;
      error.value = null;
    } catch (cause) {
      if (mine !== run) return;
      error.value = cause instanceof ApiError ? cause : new ApiError(-1, 'console.unexpected', String(cause));
    } finally {
      if (mine === run) loading.value = false;
    }
  }

  onResync(() => void load());
  usePolling(load, { everyMs: AGAIN_MS, wanted: () => error.value?.status === 503 });
  if (!options.lazy) void load();
  return { data, error, loading, load };
}
