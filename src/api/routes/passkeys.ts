import type { Passkey, passkeyOperations } from '../../contract/http.js';
import type { Store, StoredPasskey, UserRow } from '../../store/index.js';
import { AppError } from '../../util/errors.js';
import type { LoginService } from '../auth/login.js';
import { createPasskeys, type Site } from '../auth/passkeys.js';
import type { ApiDeps } from '../deps.js';
import { notFound, userError } from '../errors.js';
import type { Handlers } from '../request.js';
import { deliverGrant } from './auth.js';

interface Parts {
  deps: ApiDeps;
  store: Store;
  login: LoginService;
  now(): number;
}

const toPasskey = ({ id, name, createdMs, lastUsedMs }: StoredPasskey): Passkey => ({
  id,
  name,
  createdMs,
  lastUsedMs: lastUsedMs || null,
});

/** The site that the browser names in Origin; that it is ours has been checked. */
function siteOf(origin: string | undefined): Site {
  if (origin === undefined || !URL.canParse(origin)) {
    throw userError({ code: 'auth.origin', message: 'The request does not say which site it comes from.' });
  }
  return { origin: new URL(origin).origin, host: new URL(origin).hostname };
}

export function passkeyHandlers(parts: Parts): Pick<Handlers, keyof typeof passkeyOperations> {
  const { deps, store, login, now } = parts;
  const passkeys = createPasskeys(store, now);

  async function me(name: string): Promise<UserRow> {
    const user = await store.users.get(name);
    if (!user) throw notFound('user');
    return user;
  }

  return {
    startPasskeyLogin: ({ client }) => passkeys.startLogin(siteOf(client.origin)),
    async passkeyLogin(request) {
      const { challengeId, response } = request.body;
      try {
        const grant = await login.openFor(await passkeys.login(challengeId, response), request.client);
        const { name } = grant.response.user;
        await request.audit({ actor: name, action: 'auth.login', object: name, reason: 'passkey' });
        return deliverGrant(deps, grant, request);
      } catch (error) {
        if (error instanceof AppError && error.kind === 'user') {
          const entry = { actor: '', action: 'auth.login', object: 'passkey', reason: error.code };
          await request.audit({ ...entry, outcome: 'failure' });
        }
        throw error;
      }
    },
    async listPasskeys({ principal }) {
      return { items: (await store.passkeys.ofUser(principal.account)).map(toPasskey), nextCursor: null };
    },
    async startPasskey({ principal, body, client }) {
      const user = await me(principal.account);
      await login.checkPassword(user, body.password);
      return passkeys.startRegistration(user.name, siteOf(client.origin));
    },
    async addPasskey(request) {
      const { challengeId, name, response } = request.body;
      const passkey = await passkeys.register(request.principal.account, challengeId, name, response);
      await request.audit({ action: 'auth.passkey_add', object: passkey.user, after: { name } });
      return toPasskey(passkey);
    },
    async removePasskey(request) {
      const user = await me(request.principal.account);
      await login.checkPassword(user, request.body.password);
      const passkey = (await store.passkeys.ofUser(user.name)).find(({ id }) => id === request.params.id);
      if (!passkey) throw notFound('passkey');
      await store.passkeys.remove(passkey.id);
      await request.audit({ action: 'auth.passkey_remove', object: user.name, before: { name: passkey.name } });
    },
  };
}
