import { beforeEach, describe, expect, it, vi } from 'vitest';
import { loadAnew, loadedWell } from '@/load-anew';

describe('a page whose code cannot be loaded', () => {
  const assign = vi.fn();
  const tell = vi.fn();
  const ask = (ok: boolean | Error) =>
    loadAnew('/policies', {
      fetch: () => (ok instanceof Error ? Promise.reject(ok) : Promise.resolve(new Response(null, { status: ok ? 200 : 503 }))),
      storage: sessionStorage,
      assign,
      tell,
    }); // prettier-ignore
  beforeEach(() => {
    sessionStorage.clear();
    assign.mockClear();
    tell.mockClear();
  });

  it('is loaded from the server anew, once, as after an upgrade', async () => {
    await ask(true);
    expect(assign).toHaveBeenCalledExactlyOnceWith('/policies');
    await ask(true);
    expect(assign).toHaveBeenCalledOnce();
    expect(tell).toHaveBeenCalledOnce();
    loadedWell();
    await ask(true);
    expect(assign).toHaveBeenCalledTimes(2);
  });

  it('leaves the page as it is while the server does not answer, and says so', async () => {
    await ask(new Error('refused'));
    await ask(false);
    expect(assign).not.toHaveBeenCalled();
    expect(tell).toHaveBeenCalledTimes(2);
  });
});
