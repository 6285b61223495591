import { mkdir, rename, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { PolicyDetail, PolicySummary, PolicyValidation } from '../../contract/http.js';
import { loadPolicyFolder, parsePolicy, policyError, type Policy, type PolicyEngine } from '../../policy/index.js';
import type { PolicyRepository } from '../../store/index.js';
import { AppError } from '../../util/errors.js';
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
  put(name: string, yaml: string, comment: string, actor: string): Promise<PolicyDetail>;
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

  async function load(): Promise<void> {
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
          row = await repository.add({
            name: policy.name,
            yaml,
            actor: 'file',
            comment: `read from ${basename(policy.source)}`,
          });
        }
        inForce.set(policy.name, { ...policy, version: row?.version ?? 0 });
      }
    }
    engine.setPolicies([...inForce.values()]);
    deps.log.info({ policies: inForce.size }, 'Policies are in force.');
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
      yaml: versions[0]?.yaml ?? '',
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
    load,
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
    async put(name, yaml, comment, actor) {
      const parsed = parsePolicy(yaml, `${name}.yaml`);
      if (!parsed.ok) throw policyError(parsed.problems);
      if (parsed.policy.name !== name) {
        throw new AppError({
          kind: 'user',
          code: 'policy.name_differs',
          message: `The text names the policy "${parsed.policy.name}", not "${name}".`,
          fix: 'A policy keeps its name; save a text with another name as a policy of its own.',
        });
      }
      await mkdir(deps.ownDir, { recursive: true });
      const file = join(deps.ownDir, `${name}.yaml`);
      await writeFile(`${file}.new`, yaml, { mode: 0o640 });
      await rename(`${file}.new`, file);
      await repository.add({ name, yaml, actor, comment });
      await load();
      return get(name);
    },
  };
}

function notFound(name: string): AppError {
  return new AppError({ kind: 'user', code: 'policy.not_found', message: `There is no policy "${name}".` });
}
