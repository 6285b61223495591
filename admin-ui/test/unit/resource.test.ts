import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { effectScope } from 'vue';
import { ApiError } from '@/api/errors';
import { useResource } from '@/composables/use-resource';

describe('one thing from the server', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it.each([
    [503, 2],
    [404, 1],
  ])('that answered %d first is asked for %d times', async (status, times) => {
    const fetcher = vi.fn<() => Promise<string>>().mockResolvedValue('there');
    fetcher.mockRejectedValueOnce(new ApiError(status, 'x', 'away'));
    const scope = effectScope();
    const resource = scope.run(() => useResource(fetcher))!;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(fetcher).toHaveBeenCalledTimes(times);
    expect(resource.data.value).toBe(times === 2 ? 'there' : null);
    scope.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(fetcher).toHaveBeenCalledTimes(times);
  });
});
