import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AppError, errorCode, errorMessage } from '../util/errors.js';
import { formatProblem, parseYaml, type FileProblem } from '../util/yaml.js';
import { z } from 'zod';
import { readConsoleSettings } from './console-settings.js';
import { parseDocument } from 'yaml';
import { migrateConfig } from './migrate.js';
import { CONFIG_FORMAT, configSchema, type Config } from './options.js';
import { toSnake } from './snake.js';

/** Configuration with every path absolute. */
export interface LoadedConfig extends Config {
  runtime_dir: string;
  detect: Config['detect'] & { signature: { folder: string }; intel: { folder: string } };
  /** The file it came from, or undefined for built-in defaults. */
  file: string | undefined;
}

/** Where a configuration is looked for when none is named. */
export const DEFAULT_CONFIG_FILES = ['portcullis.yaml', '/etc/portcullis/portcullis.yaml'] as const;

/** Folder of the installed package: holds `policies`, `models` and the built console. */
export function installRoot(): string {
  let dir = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(dir, 'package.json'))) {
    const parent = dirname(dir);
    if (parent === dir) return process.cwd();
    dir = parent;
  }
  return dir;
}

/**
 * Reads the configuration: the named file, else the first of {@link DEFAULT_CONFIG_FILES}, else defaults. Secrets may come
 * from the environment (PORTCULLIS_STORE_PASSWORD). Relative paths in a file are relative to the file.
 * @param overrides settings that count more than the file and the console, each as `name.of.key=value`.
 * @throws AppError config.unreadable, config.later_format, config.invalid (every problem with its line).
 */
export async function loadConfig(path?: string, overrides: readonly string[] = []): Promise<LoadedConfig> {
  const file = path ?? process.env['PORTCULLIS_CONFIG'] ?? DEFAULT_CONFIG_FILES.find((f) => existsSync(f));
  const overridden = overrides.map((override) => splitOverride(override)[0]);
  if (file === undefined) {
    const defaults = withOverrides('{}', overrides);
    const config = finish(parseConfig(defaults, 'built-in defaults'), rawConfig(defaults), undefined);
    return withConsoleSettings(config, defaults, overridden);
  }
  let text: string;
  try {
    text = withOverrides(migrateConfig(await readFile(file, 'utf8'), CONFIG_FORMAT), overrides);
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError({
      kind: 'user',
      code: 'config.unreadable',
      message:
        errorCode(error) === 'ENOENT'
          ? `There is no configuration file ${file}.`
          : `The configuration file ${file} cannot be read: ${errorMessage(error)}`,
      fix: 'Give the right path with --config, or leave the option out to run on the defaults.',
      cause: error,
    });
  }
  const config = finish(parseConfig(text, file), rawConfig(text), resolve(file));
  return withConsoleSettings(config, text, overridden);
}

/** A setting of the command line, as `detect.signature.stream.midstream=true`; the value is YAML. */
function splitOverride(override: string): [key: string, value: string] {
  const at = override.indexOf('=');
  return at < 0 ? [override.trim(), ''] : [override.slice(0, at).trim(), override.slice(at + 1)];
}

function withOverrides(text: string, overrides: readonly string[]): string {
  if (overrides.length === 0) return text;
  const document = parseDocument(text.trim() === '' ? '{}' : text);
  for (const [key, value] of overrides.map(splitOverride))
    document.setIn(key.split('.'), parseDocument(value).contents);
  return document.toString();
}

/**
 * The configuration with what the console changed. Settings that do not fit any longer count as not made.
 * @param except keys that somebody else has set.
 */
export function withConsoleSettings(config: LoadedConfig, text: string, except: readonly string[] = []): LoadedConfig {
  const changes = Object.entries(readConsoleSettings(config.data_dir)).filter(([key]) => !except.includes(key));
  if (changes.length === 0) return config;
  const document = parseDocument(text.trim() === '' ? '{}' : text);
  for (const [key, value] of changes) document.setIn(key.split('.'), document.createNode(value));
  const merged = document.toString();
  const parsed = parseYaml(merged, 'settings of the console', configSchema, toSnake);
  return parsed.ok ? finish(parsed.value, rawConfig(merged), config.file) : config;
}

/** Parses and validates the text of a configuration. @throws AppError config.invalid */
export function parseConfig(text: string, file: string): Config {
  const parsed = parseYaml(text.trim() === '' ? '{}' : migrateConfig(text, CONFIG_FORMAT), file, configSchema, toSnake);
  if (parsed.ok) return parsed.value;
  throw configError(parsed.problems);
}

export function configError(problems: readonly FileProblem[]): AppError {
  const list = problems.map((p) => `  ${formatProblem(p)}`).join('\n');
  return new AppError({
    kind: 'user',
    code: 'config.invalid',
    message: `The configuration has ${problems.length} problem(s):\n${list}`,
    fix: 'Mend the lines named above; docs/configuration.md lists every key, its unit and its default.',
    context: { problems },
  });
}

type RawConfig = Record<string, Record<string, unknown> | undefined>;

function rawConfig(text: string): RawConfig {
  const parsed = parseYaml(text.trim() === '' ? '{}' : text, '', z.unknown());
  return parsed.ok && typeof parsed.value === 'object' && parsed.value !== null ? (parsed.value as RawConfig) : {};
}

/** Makes paths absolute: written ones relative to the file, defaults below the data or install folder. */
function finish(config: Config, raw: RawConfig, file: string | undefined): LoadedConfig {
  const base = file === undefined ? process.cwd() : dirname(file);
  const absolute = (path: string): string => (isAbsolute(path) ? path : resolve(base, path));
  const written = (section: string, key: string): boolean => raw[section]?.[key] !== undefined;
  const dataDir = absolute(config.data_dir);
  const storePassword = process.env['PORTCULLIS_STORE_PASSWORD'];
  return {
    ...config,
    file,
    data_dir: dataDir,
    runtime_dir: config.runtime_dir === undefined ? join(dataDir, 'run') : absolute(config.runtime_dir),
    policy: {
      ...config.policy,
      dir: written('policy', 'dir') ? absolute(config.policy.dir) : join(installRoot(), 'policies'),
    },
    enforce: {
      ...config.enforce,
      state_dir: written('enforce', 'state_dir') ? absolute(config.enforce.state_dir) : join(dataDir, 'responder'),
    },
    inline: {
      ...config.inline,
      state_dir: written('inline', 'state_dir') ? absolute(config.inline.state_dir) : join(dataDir, 'inline'),
    },
    detect: {
      ...config.detect,
      signature: signaturePaths(config.detect.signature, dataDir, absolute),
      intel: intelPaths(config.detect.intel, dataDir, absolute),
      models: { ...config.detect.models, models: config.detect.models.models.map(absolute) },
    },
    fleet: {
      ...config.fleet,
      ...(config.fleet.folder === undefined ? {} : { folder: absolute(config.fleet.folder) }),
    },
    training: { ...config.training, base: config.training.base.map(absolute) },
    store: {
      ...config.store,
      path: written('store', 'path') ? absolute(config.store.path) : join(dataDir, 'portcullis.db'),
      ...(storePassword === undefined ? {} : { password: storePassword }),
    },
  };
}

type SignatureConfig = Config['detect']['signature'];

function signaturePaths(signature: SignatureConfig, dataDir: string, absolute: (path: string) => string) {
  const { classification, threshold, folder, geoip, reputation } = signature;
  return {
    ...signature,
    rules: signature.rules.map(absolute),
    folder: folder === undefined ? join(dataDir, 'rules') : absolute(folder),
    sources: signature.sources.map((s) => (/^[a-z]+:/i.test(s.url) ? s : { ...s, url: absolute(s.url) })),
    ...(geoip === undefined ? {} : { geoip: absolute(geoip) }),
    ...(reputation === undefined
      ? {}
      : { reputation: { categories: absolute(reputation.categories), files: reputation.files.map(absolute) } }),
    ...(classification === undefined ? {} : { classification: absolute(classification) }),
    ...(threshold === undefined ? {} : { threshold: absolute(threshold) }),
  };
}

function intelPaths(intel: Config['detect']['intel'], dataDir: string, absolute: (path: string) => string) {
  return {
    ...intel,
    folder: intel.folder === undefined ? join(dataDir, 'intel') : absolute(intel.folder),
    feeds: intel.feeds.map((feed) => ({
      ...feed,
      url: /^[a-z]+:/i.test(feed.url) ? feed.url : absolute(feed.url),
      ...(feed.secretFile === undefined ? {} : { secretFile: absolute(feed.secretFile) }),
    })),
  };
}
