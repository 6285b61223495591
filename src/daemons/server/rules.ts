import type { RulesControl } from '../../api/index.js';
import type { RuleDetail, RuleFile, RuleList, RuleListQuery, RuleSources } from '../../contract/http.js';
import {
  compareRules,
  lastUpdate,
  loadRules,
  loadRulesGradually,
  openRuleFolder,
  publicUrl,
  updateRules,
  type FileProblem,
  type RuleFileText,
  type SignatureOptions,
} from '../../detect/signature/index.js';
import { AppError } from '../../util/errors.js';
import type { Logger } from '../../util/logger.js';
import { readConfiguredRules, shortName, type ConfiguredRules } from '../rule-files.js';
import { searchRules } from './rules-search.js';
import { toRuleDetail, toRuleRows, type RuleRecord } from './rules-rows.js';
import { createRuleHits, type RuleHits } from './rules-hits.js';
import { setRuleState } from './rules-state.js';

export interface RuleBookDeps {
  options: SignatureOptions & { folder: string };
  /** Tells every sensor to read its rules again. @returns how many were told. */
  reload(): number;
  log: Logger;
  now(): number;
}

/** Rules as the console sees them, their sources, and the schedule of updates. */
export interface RuleBook extends RulesControl {
  hits: RuleHits;
  /** Once a second or less often: updates that are due, counts to disk. */
  tick(nowMs: number): void;
  close(): void;
}

const HOUR_MS = 3_600_000;
/** A failed scheduled update is tried again after this long. */
const RETRY_MS = HOUR_MS;

export function createRuleBook(deps: RuleBookDeps): RuleBook {
  const { options, log } = deps;
  const folder = openRuleFolder(options.folder);
  const hits = createRuleHits(folder, deps.now(), deps.log);
  let catalogue: Promise<Catalogue> | undefined;
  let running: Promise<unknown> | undefined;
  let lastTryMs = lastUpdate(folder)?.atMs ?? 0;

  const current = (): Promise<Catalogue> => (catalogue ??= readCatalogue(options));
  function reload(): number {
    catalogue = undefined;
    return deps.reload();
  }
  /** One change of the folder at a time. */
  async function alone<T>(task: () => Promise<T> | T): Promise<T> {
    if (running)
      throw new AppError({
        kind: 'user',
        code: 'rules.busy',
        message: 'Rules are being updated at the moment.',
        fix: 'Wait until the update is over.',
      });
    const work = Promise.resolve().then(task);
    running = work;
    try {
      return await work;
    } finally {
      running = undefined;
    }
  }

  async function record(gid: number, sid: number): Promise<RuleRecord> {
    const found = (await current()).records.find((r) => r.rule.gid === gid && r.rule.sid === sid);
    if (found) return found;
    throw new AppError({ kind: 'user', code: 'rule.not_found', message: `There is no rule ${gid}:${sid}.` });
  }
  const detail = async (gid: number, sid: number): Promise<RuleDetail> => toRuleDetail(await record(gid, sid), hits);

  async function update(names: readonly string[] | undefined, force: boolean, actor: string) {
    const unknown = names?.find((name) => !options.sources.some((s) => s.name === name));
    if (unknown !== undefined)
      throw new AppError({ kind: 'user', code: 'rules.no_such_source', message: `There is no source "${unknown}".` });
    const sources = options.sources.filter((s) => (names ? names.includes(s.name) : s.enabled));
    if (sources.length === 0)
      throw new AppError({
        kind: 'user',
        code: 'rules.no_sources',
        message: 'No source of rules is configured.',
        fix: 'Name one under detect.signature.sources.',
      });
    return alone(async () => {
      lastTryMs = deps.now();
      const report = await updateRules({
        sources,
        folder,
        actor,
        force,
        load: { addressVariables: options.addresses, portVariables: options.ports },
      });
      for (const s of report.sources)
        if (s.error !== null) log.warn({ source: s.source, reason: s.error }, 'A source of rules was not updated.');
      if (report.sources.some((s) => s.result === 'updated')) reload();
      return report;
    });
  }

  function sources(): RuleSources {
    const last = lastUpdate(folder);
    const every = options.updateIntervalHours * HOUR_MS;
    return {
      items: options.sources.map(({ name, url, enabled }) => {
        const attempt = last?.sources.find((s) => s.source === name);
        const held = folder.source(name);
        return {
          name,
          url: publicUrl(url),
          enabled,
          rules: held ? enabledRules(held.rules) : 0,
          updatedMs: held?.updatedMs ?? 0,
          last: attempt && last ? { atMs: last.atMs, result: attempt.result, error: attempt.error } : null,
        };
      }),
      intervalHours: options.updateIntervalHours,
      nextMs: every === 0 || options.sources.every((s) => !s.enabled) ? 0 : Math.max(deps.now(), lastTryMs + every),
      running: running !== undefined,
    };
  }

  return {
    hits,
    async list(query: RuleListQuery): Promise<RuleList> {
      return searchRules(toRuleRows((await current()).records, hits), query, hits.sinceMs);
    },
    async files(): Promise<RuleFile[]> {
      return (await current()).files;
    },
    get: detail,
    async setState(gid, sid, enabled, comment, actor) {
      const before = await record(gid, sid);
      await alone(() => {
        setRuleState(folder, before.rule, { enabled, actor: actor.name, comment, nowMs: deps.now() });
      });
      reload();
      return detail(gid, sid);
    },
    check(text) {
      const { rules, problems } = loadRules([{ file: 'text', text }], toCheckOptions(options));
      return { ok: problems.length === 0, loaded: rules.length, problems: problems.map(toProblem) };
    },
    sources,
    lastUpdate: () => lastUpdate(folder) ?? null,
    update: (request, actor) => update(request.sources, request.force === true, actor.name),
    reload,
    tick(nowMs) {
      hits.save(nowMs);
      const every = options.updateIntervalHours * HOUR_MS;
      if (every === 0 || running || options.sources.every((s) => !s.enabled)) return;
      const failed = lastUpdate(folder)?.ok === false;
      if (nowMs - lastTryMs < (failed ? Math.min(RETRY_MS, every) : every)) return;
      lastTryMs = nowMs;
      update(undefined, false, 'schedule').catch((error: unknown) => {
        log.error({ err: error }, 'The scheduled update of the rules failed.');
      });
    },
    close: () => {
      hits.save(Infinity);
    },
  };
}

const enabledRules = (files: readonly RuleFileText[]): number => compareRules([], files).rules;

interface Catalogue {
  records: RuleRecord[];
  files: RuleFile[];
}

const toCheckOptions = (options: SignatureOptions) => ({
  addressVariables: options.addresses,
  portVariables: options.ports,
  /** A text from the console may not name files of this box. */
  readFile: (): string => {
    throw new Error('files are not read when a text is checked');
  },
});

function toProblem({ line, column, reason, keyword, signatureId }: FileProblem) {
  return {
    line,
    column,
    reason,
    ...(keyword === undefined ? {} : { keyword }),
    ...(signatureId === undefined ? {} : { signatureId }),
  };
}

async function readCatalogue(options: SignatureOptions): Promise<Catalogue> {
  const configured: ConfiguredRules = readConfiguredRules(options, { everyRule: true });
  const { problems } = await loadRulesGradually(configured.files, configured.load);
  const all = [...configured.problems, ...problems];
  const byLine = new Map(problems.map((p) => [`${p.file}:${p.line}`, p]));
  const records = configured.rules.map((rule): RuleRecord => {
    const problem = rule.enabled ? byLine.get(`${rule.file}:${rule.line}`) : undefined;
    return { rule, problem, ...configured.origins.get(rule.file)!, classes: configured.classes };
  });
  const files = configured.files.map(({ file }): RuleFile => {
    const own = records.filter((r) => r.rule.file === file);
    const found = all.filter((p) => p.file === file);
    return {
      file: shortName(file),
      ...configured.origins.get(file)!,
      loaded: own.filter((r) => r.rule.enabled && r.problem === undefined).length,
      skipped: own.filter((r) => !r.rule.enabled).length,
      failed: found.length,
      problems: found.slice(0, 1000).map(toProblem),
    };
  });
  const edits = configured.problems.map((p) => p.file);
  for (const file of new Set(edits)) {
    const found = all.filter((p) => p.file === file);
    files.push({
      file: shortName(file),
      origin: 'configured',
      source: null,
      loaded: 0,
      skipped: 0,
      failed: found.length,
      problems: found.map(toProblem),
    });
  }
  return { records, files };
}
