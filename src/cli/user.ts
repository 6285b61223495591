import { createInterface } from 'node:readline/promises';
import { userInfo } from 'node:os';
import { Argument, Option, type Command } from 'commander';
import {
  addUser,
  defaultPasswords,
  hashRecoveryCode,
  newRecoveryCodes,
  newTotp,
  NO_TOTP,
  openKeys,
  resetPassword,
  totpStep,
} from '../api/local/index.js';
import { loadConfig } from '../config/index.js';
import { newPasswordSchema, ROLES, userNameSchema, type Role } from '../contract/http.js';
import type { Store, UserRow } from '../store/index.js';
import { AppError } from '../util/errors.js';

interface Flags {
  config?: string;
  dataDir?: string;
}

interface Session {
  store: Store;
  dataDir: string;
}

function userError(code: string, message: string, fix?: string): AppError {
  return new AppError({ kind: 'user', code, message, ...(fix === undefined ? {} : { fix }) });
}

/** Opens the database beside a running server, does one thing, closes it. */
async function withStore(flags: Flags, task: (session: Session) => Promise<void>): Promise<void> {
  const config = await loadConfig(flags.config);
  const dataDir = flags.dataDir ?? config.data_dir;
  const path = flags.dataDir === undefined ? config.store.path : `${flags.dataDir}/portcullis.db`;
  const { openStore } = await import('../store/index.js');
  const store = await openStore({ ...config.store, path, thread: false });
  try {
    await task({ store, dataDir });
  } finally {
    await store.close();
  }
}

async function audit(store: Store, action: string, object: string, after?: unknown): Promise<void> {
  const actor = `cli:${userInfo().username}`;
  await store.audit.append({ actor, address: '', action, object, outcome: 'success', after });
}

async function findUser(store: Store, name: string): Promise<UserRow> {
  const user = await store.users.get(name);
  if (user) return user;
  throw userError('api.not_found', `There is no user ${name}.`, 'See portcullis user list.');
}

async function readLine(question: string): Promise<string> {
  const input = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await input.question(process.stdin.isTTY ? question : '')).trim();
  } finally {
    input.close();
  }
}

async function chosenPassword(): Promise<string> {
  const checked = newPasswordSchema.safeParse(await readLine('New password: '));
  if (checked.success) return checked.data;
  throw userError('auth.password_weak', 'The password needs 12 to 256 characters.');
}

async function setPassword(store: Store, user: UserRow, fromStdin: boolean): Promise<string | undefined> {
  if (!fromStdin) return resetPassword(store, user, Date.now());
  const password = await chosenPassword();
  await resetPassword(store, user, Date.now());
  await store.users.update(user.name, {
    passwordHash: await defaultPasswords.hash(password),
    mustChangePassword: false,
  });
  return undefined;
}

function showPassword(name: string, password: string): void {
  process.stdout.write(`user      ${name}\npassword  ${password}\n`);
  process.stderr.write('It is shown once and must be changed at the first login.\n');
}

async function list(flags: Flags & { json?: boolean }): Promise<void> {
  await withStore(flags, async ({ store }) => {
    const users = (await store.users.all()).map((user) => ({
      name: user.name,
      role: user.role,
      disabled: user.disabled,
      totp: user.totpSecret !== '',
      lastLogin: user.lastLoginMs === 0 ? null : new Date(user.lastLoginMs).toISOString(),
    }));
    if (flags.json === true) {
      process.stdout.write(`${JSON.stringify(users, null, 2)}\n`);
      return;
    }
    for (const { name, role, disabled, totp, lastLogin } of users) {
      const notes = [disabled ? 'disabled' : '', totp ? 'TOTP' : '', lastLogin ?? 'never logged in'].filter(Boolean);
      process.stdout.write(`${name.padEnd(24)}  ${role.padEnd(8)}  ${notes.join(', ')}\n`);
    }
  });
}

async function add(name: string, flags: Flags & { role: Role; passwordStdin?: boolean }): Promise<void> {
  if (!userNameSchema.safeParse(name).success) {
    throw userError('user.bad_name', `"${name}" is no user name.`, 'Use lower case letters, digits, dot, _ and -.');
  }
  await withStore(flags, async ({ store }) => {
    const { user, password } = await addUser(store, name, flags.role, Date.now());
    if (flags.passwordStdin === true) await setPassword(store, user, true);
    else showPassword(name, password);
    await audit(store, 'user.add', name, { role: flags.role });
  });
}

async function passwd(name: string, flags: Flags & { passwordStdin?: boolean }): Promise<void> {
  await withStore(flags, async ({ store }) => {
    const user = await findUser(store, name);
    const password = await setPassword(store, user, flags.passwordStdin === true);
    if (password !== undefined) showPassword(name, password);
    await audit(store, 'user.reset_password', name);
    process.stderr.write('The second factor, any lock and all sessions of the user are gone.\n');
  });
}

async function totp(name: string, flags: Flags & { off?: boolean }): Promise<void> {
  await withStore(flags, async ({ store, dataDir }) => {
    const user = await findUser(store, name);
    if (flags.off === true) {
      await store.users.update(name, NO_TOTP);
      await audit(store, 'auth.totp_off', name);
      process.stderr.write(`TOTP of ${name} is off.\n`);
      return;
    }
    const { secret, uri } = newTotp(name);
    process.stdout.write(`secret  ${secret}\nuri     ${uri}\n`);
    const step = totpStep(secret, user.name, await readLine('Code of the authenticator app: '), Date.now());
    if (step === undefined) {
      throw userError('auth.totp_invalid', 'The code is wrong; nothing was changed.', 'Check the clock of the phone.');
    }
    const codes = newRecoveryCodes();
    await store.users.update(name, {
      totpSecret: openKeys(dataDir).seal(secret),
      totpPending: '',
      totpLastStep: step,
      recoveryHashes: JSON.stringify(codes.map(hashRecoveryCode)),
    });
    await audit(store, 'auth.totp_on', name);
    process.stdout.write(`recovery codes, each good once:\n${codes.map((code) => `  ${code}\n`).join('')}`);
  });
}

/** `portcullis user list|add|passwd|totp`: accounts of the console, straight in the database. */
export function register(program: Command): void {
  const user = program.command('user').description('accounts of the console');
  const sub = (name: string, description: string): Command =>
    user
      .command(name)
      .description(description)
      .option('--config <file>', 'configuration file')
      .option('--data-dir <dir>', 'data directory, instead of the one in the configuration');
  const who = (): Argument => new Argument('<name>', 'user name');
  const fromStdin = ['--password-stdin', 'read the password from standard input instead of making one'] as const;

  sub('list', 'who may log in').option('--json', 'print JSON').action(list);
  sub('add', 'add a user; prints a random first password')
    .addArgument(who())
    .addOption(new Option('--role <role>', 'what the user may do').choices([...ROLES]).makeOptionMandatory())
    .option(...fromStdin)
    .action(add);
  sub('passwd', 'new password, second factor and lock removed, sessions ended')
    .addArgument(who())
    .option(...fromStdin)
    .action(passwd);
  sub('totp', 'turn the second factor on, or off').addArgument(who()).option('--off', 'turn it off').action(totp);
}
