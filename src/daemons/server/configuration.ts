import { writeFileSync, renameSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { SettingsControl } from '../../api/index.js';
import {
  CHANGEABLE,
  configKeys,
  CONSOLE_SETTINGS_FILE,
  parseConfig,
  readConsoleSettings,
  withConsoleSettings,
  type ConfigKey,
  type LoadedConfig,
} from '../../config/index.js';
import type { Setting } from '../../contract/http.js';
import { AppError, errorMessage } from '../../util/errors.js';

const SECRET = /(^|[._])(password|secret|token|passphrase|api_key|authorization)$/i;
const SECRET_NAME = /^(password|secret|token|passphrase|apiKey|api_key|authorization|headers)$/i;
/** What stands before the host of an address: user and password. */
const CREDENTIALS = /^([a-z][a-z0-9+.-]*:\/\/)[^/?#@]*@/i;
const MASK = '***';

function at(root: unknown, path: readonly string[]): unknown {
  let value = root;
  for (const name of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

/** Secrets inside of lists and addresses: passwords of destinations, headers of feeds, `https://user:password@host`. */
function masked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(masked);
  if (typeof value === 'string') return value.replace(CREDENTIALS, `$1${MASK}@`);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, SECRET_NAME.test(name) && inner ? MASK : masked(inner)]),
  );
}

export interface ConfigurationDeps {
  /** As this process runs with it; what applies at once is changed in place. */
  config: LoadedConfig;
  /** Called after a change of `capture.interfaces`. */
  captureInterfaces(interfaces: string[]): void;
}

type Configuration = Pick<SettingsControl, 'list' | 'change'>;

/** Reads the effective configuration key by key, and writes what the console may change into the data folder. */
export function createConfiguration({ config, captureInterfaces }: ConfigurationDeps): Configuration {
  const defaults = parseConfig('{}', 'defaults');
  const path = join(config.data_dir, CONSOLE_SETTINGS_FILE);
  /** Changed in the console, and waiting for a start. */
  const pending = new Set<string>();
  /** As it is now, not as it was read: @throws AppError config.unreadable */
  function text(): string {
    if (config.file === undefined || !existsSync(config.file)) return '{}';
    try {
      return readFileSync(config.file, 'utf8');
    } catch (error) {
      throw new AppError({
        kind: 'operational',
        code: 'config.unreadable',
        message: `The configuration file ${config.file} cannot be read: ${errorMessage(error)}`,
        fix: 'Let the user of the server read it.',
        cause: error,
      });
    }
  }
  /** Where values come from, as far as the file can be read: one that was broken since must not hide what is in force. */
  function fileNow(): unknown {
    try {
      return parse(text()) as unknown;
    } catch {
      return {};
    }
  }

  function sourceOf({ key }: ConfigKey, file: unknown, console_: Record<string, unknown>): Setting['source'] {
    if (Object.hasOwn(console_, key)) return 'console';
    if (key === 'store.password' && process.env['PORTCULLIS_STORE_PASSWORD'] !== undefined) return 'environment';
    return at(file, key.split('.')) === undefined ? 'default' : 'file';
  }

  function list(): Setting[] {
    const file = fileNow();
    const changes = readConsoleSettings(config.data_dir);
    return configKeys().map((key) => {
      const secret = SECRET.test(key.key);
      const value = Object.hasOwn(changes, key.key) ? changes[key.key] : at(config, key.path);
      const show = (v: unknown): unknown => (v === undefined || v === '' ? null : secret ? MASK : masked(v));
      const applies = CHANGEABLE[key.key];
      return {
        key: key.key,
        value: show(value),
        default: show(at(defaults, key.path)),
        source: sourceOf(key, file, changes),
        description: key.description,
        secret,
        changeable: applies !== undefined,
        applies: applies ?? 'restart',
        pending: pending.has(key.key),
        ...(applies === undefined ? {} : { schema: key.schema }),
      };
    });
  }

  function write(changes: Record<string, unknown>): void {
    writeFileSync(`${path}.new`, `${JSON.stringify(changes, undefined, 2)}\n`, { mode: 0o640 });
    renameSync(`${path}.new`, path);
  }

  /** Puts a value in force in this process. */
  function apply(key: ConfigKey, next: LoadedConfig): void {
    const value = at(next, key.path);
    const section = at(config, key.path.slice(0, -1)) as Record<string, unknown>;
    section[key.path.at(-1) ?? ''] = value;
    if (key.key === 'capture.interfaces' && Array.isArray(value) && value.length > 0)
      captureInterfaces(value as string[]);
  }

  return {
    list,
    change(changes) {
      for (const key of Object.keys(changes)) {
        if (Object.hasOwn(CHANGEABLE, key)) continue;
        throw new AppError({
          kind: 'user',
          code: 'settings.not_changeable',
          message: `"${key}" cannot be changed in the console.`,
          fix: 'Change it in the configuration file and start again.',
        });
      }
      const stored = readConsoleSettings(config.data_dir);
      const next = { ...stored };
      for (const [key, value] of Object.entries(changes)) {
        if (value === null) delete next[key];
        else next[key] = value;
      }
      // A check against the whole configuration, before anything is written.
      const effective = checked(config, text(), next);
      const keys = configKeys();
      const before = Object.fromEntries(Object.keys(changes).map((key) => [key, valueOf(keys, config, key)]));
      write(next);
      for (const name of Object.keys(changes)) {
        const key = keys.find((known) => known.key === name);
        if (!key) continue;
        if (CHANGEABLE[name] === 'now') apply(key, effective);
        else pending.add(name);
      }
      return { before, after: { ...changes } };
    },
  };
}

function valueOf(keys: readonly ConfigKey[], config: LoadedConfig, name: string): unknown {
  const key = keys.find((known) => known.key === name);
  return key ? (at(config, key.path) ?? null) : null;
}

/** The configuration as it would be. @throws AppError config.invalid */
function checked(config: LoadedConfig, text: string, changes: Record<string, unknown>): LoadedConfig {
  // Says where the file is wrong.
  parseConfig(text, config.file ?? 'settings');
  const nested: Record<string, unknown> = (parse(text) as Record<string, unknown> | null) ?? {};
  for (const [key, value] of Object.entries(changes)) {
    const names = key.split('.');
    let section = nested;
    for (const name of names.slice(0, -1)) section = (section[name] ??= {}) as Record<string, unknown>;
    section[names.at(-1) ?? ''] = value;
  }
  const parsed = parseConfig(JSON.stringify(nested), 'settings');
  return {
    ...withConsoleSettings(config, text),
    ...parsed,
    data_dir: config.data_dir,
    file: config.file,
  } as LoadedConfig;
}
