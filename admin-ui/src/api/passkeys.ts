import { at, client } from './index';
import type { Grant } from './client';
import type { Page, Passkey, SessionUser } from './types';

export interface PasskeyChallenge {
  challengeId: string;
  options: Record<string, unknown>;
}

export const passkeysApi = {
  startLogin: () => client.anonymous<PasskeyChallenge>('/auth/passkey/start', {}),
  login: (challengeId: string, response: unknown) =>
    client.anonymous<Grant<SessionUser>>('/auth/passkey', { challengeId, response }),
  list: () => client.get<Page<Passkey>>('/auth/passkeys'),
  start: (password: string) => client.post<PasskeyChallenge>('/auth/passkeys/start', { password }),
  add: (challengeId: string, name: string, response: unknown) =>
    client.post<Passkey>('/auth/passkeys', { challengeId, name, response }),
  remove: (id: string, password: string) => client.delete<undefined>(`/auth/passkeys/${at(id)}`, { password }),
};
