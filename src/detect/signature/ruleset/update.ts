import { loadRules, type LoadOptions } from '../load.js';
import type { RuleSourceOptions } from '../options.js';
import { compareRules, type RuleChange } from './compare.js';
import { fetchSource, publicUrl } from './fetch.js';
import type { RuleFolder } from './folder.js';

/** What an update did with one source. */
export interface SourceUpdate {
  source: string;
  url: string;
  result: 'updated' | 'unchanged' | 'failed';
  error: string | null;
  checksum: 'sha256' | 'md5' | 'none';
  files: number;
  rules: number;
  failed: number;
  counts: { new: number; changed: number; gone: number };
  /** The first {@link MAX_NAMED} of each. */
  new: RuleChange[];
  changed: RuleChange[];
  gone: RuleChange[];
  durationMs: number;
}

export interface UpdateReport {
  atMs: number;
  actor: string;
  ok: boolean;
  sources: SourceUpdate[];
}

export interface UpdateOptions {
  sources: readonly RuleSourceOptions[];
  folder: RuleFolder;
  actor: string;
  /** Take it also when most rules are gone or not understood. */
  force?: boolean;
  /** Only compare. */
  dryRun?: boolean;
  load?: LoadOptions;
  signal?: AbortSignal;
}

export const UPDATE_REPORT = 'update.json';
const MAX_NAMED = 200;
/** A download in which more than this share of the rules is not understood is not what it says it is. */
const MAX_FAILED = 0.5;
/** A source that loses more than this share of its rules at once needs a person's word. */
const MAX_GONE = 0.5;

/**
 * Fetches sources, verifies and compares them, and puts those that are sound in force; a source that fails keeps the
 * rules it had. The report is kept in the folder.
 */
export async function updateRules(options: UpdateOptions): Promise<UpdateReport> {
  const sources: SourceUpdate[] = [];
  for (const source of options.sources) sources.push(await updateSource(source, options));
  const ok = sources.every((s) => s.result !== 'failed');
  const report: UpdateReport = { atMs: Date.now(), actor: options.actor, ok, sources };
  if (!options.dryRun) options.folder.writeText(UPDATE_REPORT, `${JSON.stringify(report, null, 1)}\n`);
  return report;
}

/** The report of the last update, undefined before the first. */
export function lastUpdate(folder: RuleFolder): UpdateReport | undefined {
  try {
    const text = folder.readText(UPDATE_REPORT);
    return text === undefined ? undefined : (JSON.parse(text) as UpdateReport);
  } catch {
    return undefined;
  }
}

async function updateSource(source: RuleSourceOptions, options: UpdateOptions): Promise<SourceUpdate> {
  const started = Date.now();
  const update: SourceUpdate = {
    source: source.name,
    url: publicUrl(source.url),
    result: 'failed',
    error: null,
    checksum: 'none',
    files: 0,
    rules: 0,
    failed: 0,
    counts: { new: 0, changed: 0, gone: 0 },
    new: [],
    changed: [],
    gone: [],
    durationMs: 0,
  };
  try {
    await fetchAndSwap(source, options, update);
  } catch (error) {
    update.error = error instanceof Error ? error.message : String(error);
  }
  update.durationMs = Date.now() - started;
  return update;
}

async function fetchAndSwap(source: RuleSourceOptions, options: UpdateOptions, update: SourceUpdate): Promise<void> {
  const { folder } = options;
  const fetched = await fetchSource(source, options.signal ?? new AbortController().signal);
  update.checksum = fetched.checksum;
  const after = fetched.files
    .filter((f) => f.name.endsWith('.rules'))
    .map((f) => ({ file: f.name, text: Buffer.from(f.data).toString('utf8') }));
  update.files = after.length;
  if (after.length === 0) throw new Error('there is no rule file in it');
  const before = folder.source(source.name)?.rules ?? [];
  const compared = compareRules(before, after);
  update.rules = compared.rules;
  update.counts = { new: compared.new.length, changed: compared.changed.length, gone: compared.gone.length };
  for (const kind of ['new', 'changed', 'gone'] as const) update[kind] = compared[kind].slice(0, MAX_NAMED);
  const others = new Map(fetched.files.map((f) => [f.name, f.data]));
  const { rules, problems } = loadRules(after, {
    ...options.load,
    readFile: (path) => Buffer.from(others.get(path.replace(/^.*\//, '')) ?? []).toString('utf8'),
  });
  update.failed = problems.length;
  if (rules.length === 0) throw new Error('no rule of it is understood');
  if (options.force !== true) {
    if (problems.length > MAX_FAILED * (rules.length + problems.length))
      throw new Error(`${problems.length} of ${rules.length + problems.length} rules are not understood`);
    if (compared.gone.length > MAX_GONE * compared.before)
      throw new Error(`${compared.gone.length} of ${compared.before} rules would be gone`);
  }
  const isSame = compared.new.length + compared.changed.length + compared.gone.length === 0;
  update.result = isSame && sameNames(before, after) ? 'unchanged' : 'updated';
  if (options.dryRun !== true && (update.result === 'updated' || others.size > after.length))
    folder.replace(source.name, fetched.files);
}

function sameNames(before: readonly { file: string }[], after: readonly { file: string }[]): boolean {
  const names = (list: readonly { file: string }[]): string =>
    list
      .map((f) => f.file.replace(/^.*\//, ''))
      .sort()
      .join('\n');
  return names(before) === names(after);
}
