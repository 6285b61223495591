import { defineStore } from 'pinia';
import { computed, ref } from 'vue';
import { api, client } from '@/api';
import type { Role, SessionUser } from '@/api/types';

const ORDER: readonly Role[] = ['viewer', 'analyst', 'operator', 'admin'];
/** Says that a refresh cookie probably exists; holds no secret. */
const HINT = 'portcullis.session';

export const useSession = defineStore('session', () => {
  const user = ref<SessionUser | null>(null);
  /** Set when a session ended by itself, so that the sign-in page can say so. */
  const ended = ref(false);
  /** Whose pages are open: stays while a session that ended by itself waits to be renewed. */
  const pagesOf = ref<SessionUser | null>(null);
  const isSignedIn = computed(() => user.value !== null);

  client.onGrant((grant) => {
    user.value = grant.user;
    pagesOf.value = grant.user;
    ended.value = false;
    localStorage.setItem(HINT, '1');
  });

  function signedOut(): void {
    if (user.value) ended.value = true;
    user.value = null;
    localStorage.removeItem(HINT);
  }
  client.onSignedOut(signedOut);

  /** Picks up the session of an earlier visit from the cookie, if there may be one. */
  async function restore(): Promise<void> {
    if (user.value || !localStorage.getItem(HINT)) return;
    await client.refresh().catch(() => undefined);
  }

  async function login(username: string, password: string, totp?: string): Promise<void> {
    await client.login({ username, password, ...(totp ? { totp } : {}) });
  }

  async function changePassword(current: string, next: string): Promise<void> {
    client.accept(await api.changePassword(current, next));
  }

  async function logout(): Promise<void> {
    await client.logout().catch(() => undefined);
    user.value = null;
    pagesOf.value = null;
    ended.value = false;
    localStorage.removeItem(HINT);
  }

  /**
   * True when the signed-in user may do what `role` may. The server decides; this only hides what it refuses. While a session
   * waits to be renewed its pages keep what they show.
   */
  function may(role: Role): boolean {
    const who = ended.value ? pagesOf.value : user.value;
    return who !== null && ORDER.indexOf(who.role) >= ORDER.indexOf(role);
  }

  return { user, ended, pagesOf, isSignedIn, restore, login, changePassword, logout, may };
});
