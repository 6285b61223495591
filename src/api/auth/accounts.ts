import type { Role } from '../../contract/http.js';
import type { Store, UserRow } from '../../store/index.js';
import { AppError } from '../../util/errors.js';
import { userError } from '../errors.js';
import { defaultPasswords, randomPassword } from './password.js';

const FIRST_ADMIN = 'admin';

/** Adds a user with a random first password that must be changed at the first login. @throws AppError user.exists */
export async function addUser(
  store: Store,
  name: string,
  role: Role,
  nowMs: number,
  passwords = defaultPasswords,
): Promise<{ user: UserRow; password: string }> {
  const password = randomPassword();
  const user: UserRow = {
    name,
    role,
    disabled: false,
    mustChangePassword: true,
    passwordHash: await passwords.hash(password),
    totpSecret: '',
    totpPending: '',
    totpLastStep: 0,
    recoveryHashes: '[]',
    createdMs: nowMs,
    lastLoginMs: 0,
    failedLogins: 0,
    lockedUntilMs: 0,
    epoch: 0,
  };
  if (await store.users.add(user)) return { user, password };
  throw userError({ code: 'user.exists', message: `The user ${name} already exists.`, fix: 'Choose another name.' });
}

/**
 * Makes the user `admin` when there is no user at all.
 * @returns its password, to be shown once; undefined when users exist, or another server of a fleet was faster.
 */
export async function ensureFirstAdmin(store: Store): Promise<{ name: string; password: string } | undefined> {
  if ((await store.users.count()) > 0) return undefined;
  const added = await addUser(store, FIRST_ADMIN, 'admin', Date.now()).catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'user.exists') return undefined;
    throw error;
  });
  if (added === undefined) return undefined;
  await store.audit.append({
    actor: 'server',
    address: '',
    action: 'user.add',
    object: FIRST_ADMIN,
    outcome: 'success',
    reason: 'first start',
    after: { role: 'admin' },
  });
  return { name: FIRST_ADMIN, password: added.password };
}

/** New random password; the second factor and any lock are removed and every session ends. */
export async function resetPassword(
  store: Store,
  user: UserRow,
  nowMs: number,
  passwords = defaultPasswords,
): Promise<string> {
  const password = randomPassword();
  await store.users.update(user.name, {
    passwordHash: await passwords.hash(password),
    mustChangePassword: true,
    ...NO_TOTP,
    failedLogins: 0,
    lockedUntilMs: 0,
    epoch: user.epoch + 1,
  });
  await store.passkeys.removeAll(user.name);
  await store.sessions.revokeAll(user.name, nowMs);
  return password;
}

export const NO_TOTP = { totpSecret: '', totpPending: '', totpLastStep: 0, recoveryHashes: '[]' } as const;

/** Refuses a change that would leave nobody who can administer. @throws AppError user.last_admin */
export async function keepAnAdmin(store: Store, leaving: string): Promise<void> {
  const others = (await store.users.all()).filter((u) => u.name !== leaving && u.role === 'admin' && !u.disabled);
  if (others.length > 0) return;
  throw userError({
    code: 'user.last_admin',
    message: `${leaving} is the last admin.`,
    fix: 'Make another user admin first.',
  });
}
