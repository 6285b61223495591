import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { installRoot } from '../config/index.js';
import {
  applyEdits,
  DEFAULT_CLASSES,
  openRuleFolder,
  parseClassification,
  type EditedRule,
  type FileProblem,
  type LoadOptions,
  type RuleFileText,
  type SignatureOptions,
} from '../detect/signature/index.js';
import { AppError, errorMessage } from '../util/errors.js';

/** Where a rule file comes from. */
export interface RuleFileOrigin {
  origin: 'shipped' | 'configured' | 'source';
  source: string | null;
}

/** Everything that the engine reads: rule files after the operator's edits, and what explains them. */
export interface ConfiguredRules {
  files: RuleFileText[];
  /** Every rule of the files, switched-off ones too; empty unless asked for or edited. */
  rules: EditedRule[];
  classes: ReadonlyMap<string, { priority: number }>;
  origins: ReadonlyMap<string, RuleFileOrigin>;
  load: LoadOptions;
  /** Lines of the edit files that are not understood. */
  problems: FileProblem[];
}

/** The shipped or configured rule files, those fetched from sources, and the edits. @throws {AppError} `rules.cannot_read`. */
export function readConfiguredRules(options: SignatureOptions, { everyRule = false } = {}): ConfiguredRules {
  const named = options.rules.length > 0;
  const files = (named ? options.rules : shippedRules()).map((file) => ({ file, text: readRuleFile(file) }));
  const own: RuleFileOrigin = { origin: named ? 'configured' : 'shipped', source: null };
  const origins = new Map(files.map(({ file }) => [file, own]));
  const folder = options.folder === undefined ? undefined : openRuleFolder(options.folder);
  const classifications: string[] = [];
  for (const source of folder?.sources() ?? []) {
    for (const file of source.rules) {
      files.push(file);
      origins.set(file.file, { origin: 'source', source: source.name });
    }
    const classification = join(source.path, 'classification.config');
    if (existsSync(classification)) classifications.push(readRuleFile(classification));
  }
  if (options.classification !== undefined) classifications.push(readRuleFile(options.classification));
  const edits = folder?.edits();
  const hasFolder = folder !== undefined && (folder.sources().length > 0 || Object.keys(folder.editTexts()).length > 0);
  const edited = edits && (hasFolder || everyRule) ? applyEdits(files, edits) : undefined;
  const load = toLoadOptions(options, classifications);
  return {
    files: edited?.files ?? files,
    rules: edited?.rules ?? [],
    origins,
    load,
    classes: new Map([...DEFAULT_CLASSES, ...parseClassification(load.classification ?? '')]),
    problems: (edits?.problems ?? []).map((p) => ({ ...p, file: join(folder!.path, p.file), column: 1 })),
  };
}

function toLoadOptions(options: SignatureOptions, classifications: readonly string[]): LoadOptions {
  return {
    addressVariables: options.addresses,
    portVariables: options.ports,
    classification: classifications.length === 0 ? undefined : classifications.join('\n'),
    threshold:
      options.threshold === undefined ? undefined : { file: options.threshold, text: readRuleFile(options.threshold) },
    maxDatasetEntries: options.maxDatasetEntries,
    reputation: options.reputation && {
      categories: readRuleFile(options.reputation.categories),
      lists: options.reputation.files.map((file) => ({ file, text: readRuleFile(file) })),
    },
    geoip: options.geoip === undefined ? undefined : { file: options.geoip, data: readBytes(options.geoip) },
  };
}

/** Rule files in `policies/rules`. */
export function shippedRules(): string[] {
  const folder = join(installRoot(), 'policies', 'rules');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.rules'))
    .sort()
    .map((name) => join(folder, name));
}

/** Text of a rule or classification file. @throws {AppError} `rules.cannot_read`. */
export const readRuleFile = (file: string): string => readBytes(file).toString('utf8');

function readBytes(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new AppError({
      kind: 'user',
      code: 'rules.cannot_read',
      message: `${file} cannot be read: ${errorMessage(error)}`,
      fix: 'Name a rule file that this user can read.',
      cause: error,
    });
  }
}

/** Base name of a rule file, as lists and searches show it. */
export const shortName = (file: string): string => basename(file);
