import { createPinia, setActivePinia } from 'pinia';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { useSession } from '@/stores/session';

const grant = (role: string) =>
  new Response(
    JSON.stringify({
      accessToken: 'secret-token',
      expiresInSecs: 600,
      user: { name: 'anna', role, mustChangePassword: false },
    }),
    { status: 200 },
  );

describe('the session', () => {
  beforeEach(() => {
    localStorage.clear();
    setActivePinia(createPinia());
  });
  afterEach(() => vi.unstubAllGlobals());

  it('asks for no refresh on a first visit', async () => {
    const fetch = vi.fn();
    vi.stubGlobal('fetch', fetch);
    await useSession().restore();
    expect(fetch).not.toHaveBeenCalled();
  });

  it('comes back from the cookie after a reload, and stores no secret', async () => {
    localStorage.setItem('portcullis.session', '1');
    vi.stubGlobal(
      'fetch',
      vi.fn(async () => grant('operator')),
    );
    const session = useSession();
    await session.restore();
    expect(session.user?.name).toBe('anna');
    expect(JSON.stringify({ ...localStorage })).not.toContain('secret-token');
  });

  it('knows what a role may do', async () => {
    vi.stubGlobal(
      'fetch',
      vi.fn(async () => grant('analyst')),
    );
    const session = useSession();
    expect(session.may('viewer')).toBe(false);
    await session.login('anna', 'x');
    expect([session.may('viewer'), session.may('analyst'), session.may('operator'), session.may('admin')]).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it('says that it ended when the server ended it, and not after a sign-out', async () => {
    vi.stubGlobal(
      'fetch',
      vi.fn(async () => grant('admin')),
    );
    const session = useSession();
    await session.login('anna', 'x');
    await session.logout();
    expect([session.isSignedIn, session.ended, session.pagesOf]).toEqual([false, false, null]);

    await session.login('anna', 'x');
    vi.stubGlobal(
      'fetch',
      vi.fn(async () => new Response('{}', { status: 401 })),
    );
    const { api } = await import('@/api');
    await expect(api.status()).rejects.toMatchObject({ status: 401 });
    expect([session.isSignedIn, session.ended]).toEqual([false, true]);
    expect([session.pagesOf?.name, session.may('admin')], 'its pages wait as they are').toEqual(['anna', true]);

    vi.stubGlobal(
      'fetch',
      vi.fn(async () => grant('viewer')),
    );
    await session.login('vera', 'x');
    expect([session.may('viewer'), session.may('analyst')], 'another one has a role of her own').toEqual([true, false]);
    expect(JSON.stringify({ ...localStorage })).not.toContain('anna');
  });
});
