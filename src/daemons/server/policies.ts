import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { PolicyDetail, PolicyDiff, PolicySummary, PolicyValidation } from '../../contract/http.js';
import { loadPolicyFolder, parsePolicy, policyError, type Policy, type PolicyEngine } from '../../policy/index.js';
import type { PolicyRepository } from '../../store/index.js';
import { AppError, errorCode } from '../../util/errors.js';
import { diffLines } from '../../util/line-diff.js';
import type { Logger } from '../../util/logger.js';

/**
 * Policies in force: the files of the configured folder, replaced by name by those saved from the console, which live in
 * `data_dir/policies` so that an upgrade of the shipped ones never overwrites an operator's text. Every text ever in
 * force is a version in the store.
 */
export interface PolicyBook {
  /** Reads both folders and puts the policies in force. @throws AppError policy.invalid; nothing changes then. */
  load(): Promise<void>;
  list(): Promise<PolicySummary[]>;
  get(name: string): Promise<PolicyDetail>;
  validate(yaml: string): PolicyValidation;
  /** @throws AppError policy.invalid, policy.conflict */
  put(name: string, yaml: string, edit: PolicyEdit): Promise<PolicyDetail>;
  /** Puts an earlier version in force again, as a new version. @throws AppError policy.no_version, policy.conflict */
  rollback(name: string, version: number, edit: PolicyEdit): Promise<PolicyDetail>;
  /** Removes the saved text; a shipped policy of this name comes back. @throws AppError policy.not_saved */
  remove(name: string, actor: string): Promise<void>;
  diff(
    name: string,
    what: { from?: number | undefined; to?: number | undefined; yaml?: string | undefined },
  ): Promise<PolicyDiff>;
  /** The saved text of a policy, null when there is none: what {@link restore} needs to take a change back. */
  saved(name: string): Promise<string | null>;
  restore(name: string, saved: string | null): Promise<void>;
  /** Names of the policies with a saved text. */
  savedNames(): Promise<string[]>;
  /** What another server of the fleet has saved, or taken back (null). @returns false when it is the same here. */
  adopt(name: string, saved: string | null, by: PolicyAuthor): Promise<boolean>;
  /** The saved text of a policy was changed here, not by {@link adopt}. */
  onChange(handler: (name: string, by: PolicyAuthor) => void): void;
}

export interface PolicyAuthor {
  actor: string;
  comment: string;
}

/** A change made by a person. */
export interface PolicyEdit extends PolicyAuthor {
  /** The version that the person looked at, 0 for none; undefined: whatever is in force is replaced. */
  basedOn?: number | undefined;
}

export interface PolicyBookDeps {
  dir: string;
  ownDir: string;
  repository: PolicyRepository;
  engine: PolicyEngine;
  log: Logger;
}

export function createPolicyBook(deps: PolicyBookDeps): PolicyBook {
  const { repository, engine } = deps;
  let changed: (name: string, by: PolicyAuthor) => void = () => undefined;
  let turn: Promise<unknown> = Promise.resolve();

  /** One after the other: two that read the history at once would both write the same text into it. */
  function inTurn<T>(task: () => Promise<T>): Promise<T> {
    const done = turn.then(() => task());
    turn = done.catch(() => undefined);
    return done;
  }

  /** @param by who a saved text that is new here is from; read from a file without. */
  async function load(by?: PolicyAuthor): Promise<void> {
    const folders = [
      await loadPolicyFolder(deps.dir),
      ...(existsSync(deps.ownDir) ? [await loadPolicyFolder(deps.ownDir)] : []),
    ];
    const problems = folders.flatMap((f) => f.problems);
    if (problems.length > 0) throw policyError(problems);
    const stored = new Map((await repository.current()).map((row) => [row.name, row]));
    const inForce = new Map<string, Policy>();
    for (const folder of folders) {
      for (const policy of folder.policies) {
        const yaml = folder.texts.get(policy.name) ?? '';
        let row = stored.get(policy.name);
        const isOverridden = folder === folders[0] && folders[1]?.texts.has(policy.name);
        if (!isOverridden && row?.yaml !== yaml) {
          const from = { actor: 'file', comment: `read from ${basename(policy.source)}` };
          row = await repository.add({ name: policy.name, yaml, ...(folder === folders[0] ? from : (by ?? from)) });
        }
        inForce.set(policy.name, { ...policy, version: row?.version ?? 0 });
      }
    }
    engine.setPolicies([...inForce.values()]);
    deps.log.info({ policies: inForce.size }, 'Policies are in force.');
  }

  const fileOf = (name: string): string => join(deps.ownDir, `${name}.yaml`);

  /** @returns the saved text, null when the policy comes from the shipped or administered folder. */
  async function readSaved(name: string): Promise<string | null> {
    try {
      return await readFile(fileOf(name), 'utf8');
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return null;
      throw error;
    }
  }

  async function writeSaved(name: string, yaml: string | null): Promise<void> {
    if (yaml === null) return rm(fileOf(name), { force: true });
    await mkdir(deps.ownDir, { recursive: true });
    await writeFile(`${fileOf(name)}.new`, yaml, { mode: 0o640 });
    await rename(`${fileOf(name)}.new`, fileOf(name));
  }

  /** Two people who edit the same policy: the second is told, and overwrites nothing that was never seen. */
  async function mustBeInForce(name: string, version: number): Promise<void> {
    const current = engine.policies().find((p) => p.name === name)?.version ?? 0;
    if (current === version) return;
    const by = (await repository.versions(name)).find((v) => v.version === current)?.actor;
    throw new AppError({
      kind: 'user',
      code: 'policy.conflict',
      message: `The policy "${name}" was changed meanwhile: version ${current}${by === undefined ? '' : ` by ${by}`} is in force, not ${version}.`,
      fix: 'Look at that version, and save again on top of it.',
      context: { name, current, version },
    });
  }

  async function save(name: string, yaml: string, { actor, comment, basedOn }: PolicyEdit): Promise<PolicyDetail> {
    mustBeValid(name, yaml);
    if (basedOn !== undefined) await mustBeInForce(name, basedOn);
    const before = await readSaved(name);
    await writeSaved(name, yaml);
    try {
      await repository.add({ name, yaml, actor, comment });
      await load();
    } catch (error) {
      await writeSaved(name, before);
      throw error;
    }
    changed(name, { actor, comment });
    return get(name);
  }

  async function remove(name: string, actor: string): Promise<void> {
    if ((await readSaved(name)) === null) {
      throw new AppError({
        kind: 'user',
        code: 'policy.not_saved',
        message: `The policy "${name}" was not saved by the console or API.`,
        fix: 'A shipped policy cannot be removed; save it with enabled: false.',
      });
    }
    await writeSaved(name, null);
    await load();
    changed(name, { actor, comment: 'removed' });
  }

  async function adopt(name: string, yaml: string | null, by: PolicyAuthor): Promise<boolean> {
    const before = await readSaved(name);
    if (before === yaml) return false;
    if (yaml !== null) mustBeValid(name, yaml);
    await writeSaved(name, yaml);
    try {
      await load(by);
    } catch (error) {
      await writeSaved(name, before);
      throw error;
    }
    return true;
  }

  async function textOf(name: string, version: number): Promise<string> {
    const found = (await repository.versions(name)).find((v) => v.version === version);
    if (found) return found.yaml;
    throw new AppError({
      kind: 'user',
      code: 'policy.no_version',
      message: `There is no version ${version} of a policy "${name}".`,
      fix: '`portcullis policy versions NAME` lists them.',
    });
  }

  async function summaries(): Promise<PolicySummary[]> {
    const rows = new Map((await repository.current()).map((row) => [row.name, row]));
    return engine.policies().map((policy, order) => ({
      name: policy.name,
      description: policy.description,
      version: policy.version,
      mode: policy.mode,
      enabled: policy.enabled,
      order,
      actor: rows.get(policy.name)?.actor ?? 'file',
      updatedMs: rows.get(policy.name)?.createdMs ?? 0,
    }));
  }

  async function get(name: string): Promise<PolicyDetail> {
    const summary = (await summaries()).find((s) => s.name === name);
    if (!summary) throw notFound(name);
    const versions = await repository.versions(name);
    return {
      ...summary,
      source: (await readSaved(name)) === null ? 'file' : 'saved',
      yaml: versions.find((v) => v.version === summary.version)?.yaml ?? versions[0]?.yaml ?? '',
      versions: versions.map(({ version, yaml, actor, comment, createdMs }) => ({
        version,
        yaml,
        actor,
        comment,
        createdMs,
      })),
    };
  }

  return {
    load: () => inTurn(() => load()),
    list: summaries,
    get,
    validate(yaml) {
      const parsed = parsePolicy(yaml, 'policy');
      if (parsed.ok) return { ok: true, problems: [] };
      return {
        ok: false,
        problems: parsed.problems.map(({ path, message, line, column }) => ({ path, message, line, column })),
      };
    },
    put: (name, yaml, edit) => inTurn(() => save(name, yaml, edit)),
    rollback: (name, version, edit) => inTurn(async () => save(name, await textOf(name, version), edit)),
    remove: (name, actor) => inTurn(() => remove(name, actor)),
    async diff(name, { from, to, yaml }) {
      const current = engine.policies().find((p) => p.name === name)?.version;
      const left = from ?? current;
      if (left === undefined || left === 0) throw notFound(name);
      const right = yaml ?? (await textOf(name, to ?? left));
      const lines = diffLines(await textOf(name, left), right);
      const count = (op: string): number => lines.filter((l) => l.op === op).length;
      return {
        from: left,
        to: yaml === undefined ? (to ?? left) : 0,
        added: count('added'),
        removed: count('removed'),
        lines,
      };
    },
    saved: readSaved,
    restore: (name, yaml) =>
      inTurn(async () => {
        await writeSaved(name, yaml);
        await load();
        changed(name, { actor: 'server', comment: 'a change was taken back' });
      }),
    async savedNames() {
      const files = existsSync(deps.ownDir) ? await readdir(deps.ownDir) : [];
      return files.filter((file) => file.endsWith('.yaml')).map((file) => file.slice(0, -'.yaml'.length));
    },
    adopt: (name, yaml, by) => inTurn(() => adopt(name, yaml, by)),
    onChange(handler) {
      changed = handler;
    },
  };
}

/** @throws AppError policy.invalid, policy.name_differs */
function mustBeValid(name: string, yaml: string): void {
  const parsed = parsePolicy(yaml, `${name}.yaml`);
  if (!parsed.ok) throw policyError(parsed.problems);
  if (parsed.policy.name === name) return;
  throw new AppError({
    kind: 'user',
    code: 'policy.name_differs',
    message: `The text names the policy "${parsed.policy.name}", not "${name}".`,
    fix: 'A policy keeps its name; save a text with another name as a policy of its own.',
  });
}

function notFound(name: string): AppError {
  return new AppError({ kind: 'user', code: 'policy.not_found', message: `There is no policy "${name}".` });
}
