import type { FleetPolicy } from '../../contract/fleet.js';
import type { PoliciesLink } from '../../fleet/index.js';
import { loadPolicyFolder, parsePolicy, policyError, type Policy, type PolicyEngine } from '../../policy/index.js';
import { errorMessage } from '../../util/errors.js';
import type { Logger } from '../../util/logger.js';

export interface BoxPoliciesDeps {
  dir: string;
  engine: PolicyEngine;
  /** What people saved at servers; undefined when the box decides by its files alone, and before it has the fleet's copy. */
  fleet(): PoliciesLink | undefined;
  failed(message: string): void;
  log: Logger;
}

/** Policies of a box: its files, in the place of those with the same name what was saved at a server of the fleet. */
export interface BoxPolicies {
  /** Reads the files. @throws AppError policy.invalid; nothing changes then. */
  load(): Promise<void>;
  /** A policy was saved at a server. */
  heard(): void;
}

export function createBoxPolicies({ dir, engine, fleet, failed, log }: BoxPoliciesDeps): BoxPolicies {
  let files: readonly Policy[] = [];
  /** What was last understood of each name: a text that only a later version can read must not leave a gap. */
  const understood = new Map<string, Policy>();

  function read(name: string, { yaml, policyVersion }: FleetPolicy): Policy | undefined {
    if (yaml === null) {
      understood.delete(name);
      return undefined;
    }
    const parsed = parsePolicy(yaml, `${name}.yaml`, policyVersion);
    if (parsed.ok && parsed.policy.name === name) {
      understood.set(name, parsed.policy);
      return parsed.policy;
    }
    const problem = parsed.ok ? `its text names ${parsed.policy.name}` : errorMessage(policyError(parsed.problems));
    log.error({ policy: name, problem }, 'A policy of the fleet cannot be put in force.');
    failed(problem);
    return understood.get(name);
  }

  function apply(): void {
    const saved = (fleet()?.current() ?? []).flatMap(([name, policy]) => read(name, policy) ?? []);
    const names = new Set(saved.map((policy) => policy.name));
    engine.setPolicies([...files.filter((policy) => !names.has(policy.name)), ...saved]);
  }

  return {
    async load() {
      const { policies, problems } = await loadPolicyFolder(dir);
      if (problems.length > 0) throw policyError(problems);
      files = policies;
      apply();
    },
    heard() {
      apply();
      log.info({ policies: engine.policies().length }, 'Policies of the fleet are in force.');
    },
  };
}
