import type { FleetPolicy } from '../../contract/fleet.js';
import type { PoliciesLink } from '../../fleet/index.js';
import type { AuditRepository } from '../../store/index.js';
import { AppError, errorMessage } from '../../util/errors.js';
import type { Logger } from '../../util/logger.js';
import type { PolicyAuthor, PolicyBook } from './policies.js';

export interface FleetPoliciesDeps {
  policies: Pick<PolicyBook, 'saved' | 'savedNames' | 'adopt' | 'onChange'>;
  /** Number of the policy in force in the database's history, 0 when there is none. */
  versionOf(name: string): number;
  link(): PoliciesLink;
  /** Somebody else has changed it: nothing is left to confirm here. */
  supersede(name: string): Promise<void>;
  audit: Pick<AuditRepository, 'append'>;
  /** It cannot be put in force here. */
  failed(message: string): void;
  log: Logger;
}

/**
 * Policies that people save at one server are in force on all. The fleet's copy is the truth: a server says what was saved at
 * it, keeps its `data_dir/policies` like the fleet's, and writes into the audit trail what came from others.
 */
export interface FleetPoliciesControl {
  heard(name: string): void;
  /** Call once a second. */
  tick(): void;
}

export function createFleetPolicies(deps: FleetPoliciesDeps): FleetPoliciesControl {
  const { policies, log } = deps;
  /** Names whose text may differ here; all of them at first. */
  let waiting: Set<string> | undefined;
  let isPublished = false;
  let isBusy = false;
  let lastProblem = '';

  async function say(name: string, { actor, comment }: PolicyAuthor): Promise<void> {
    const yaml = await policies.saved(name);
    deps.link().set(name, { yaml, policyVersion: deps.versionOf(name), actor, comment, savedMs: Date.now() });
  }

  async function adopt(name: string, policy: FleetPolicy): Promise<void> {
    const { yaml, actor, comment } = policy;
    const before = await policies.saved(name);
    if (!(await policies.adopt(name, yaml, { actor, comment }))) return;
    log.info({ policy: name, actor }, 'A policy of the fleet is in force.');
    await deps.supersede(name);
    const what = { action: 'policy.adopt', object: name, reason: comment, before: { yaml: before }, after: { yaml } };
    await deps.audit.append({ actor, address: '', outcome: 'success', ...what });
  }

  async function work(): Promise<void> {
    waiting ??= new Set(
      deps
        .link()
        .current()
        .map(([name]) => name),
    );
    for (const name of [...waiting]) {
      const policy = deps.link().get(name);
      waiting.delete(name);
      try {
        if (policy) await adopt(name, policy);
      } catch (error) {
        // A text that this version cannot read will not become better; a database that is away comes back.
        if (!(error instanceof AppError && error.kind === 'user')) {
          waiting.add(name);
          throw error;
        }
        fail(`The policy ${name} of the fleet: ${error.message}`);
      }
    }
    if (isPublished || !deps.link().isListed()) return;
    isPublished = true;
    // From before this server was in a fleet.
    for (const name of await policies.savedNames()) {
      if (!deps.link().get(name)) await say(name, { actor: 'server', comment: 'saved before it was in the fleet' });
    }
  }

  function fail(message: string): void {
    log.error({ problem: message }, 'A policy of the fleet cannot be put in force.');
    deps.failed(message);
  }

  function begin(): void {
    if (isBusy) return;
    isBusy = true;
    work()
      .then(() => (lastProblem = ''))
      .catch((error: unknown) => {
        const problem = errorMessage(error);
        if (problem !== lastProblem) log.warn({ problem }, 'Policies of the fleet wait, will retry.');
        lastProblem = problem;
      })
      .finally(() => (isBusy = false));
  }

  policies.onChange((name, by) => {
    say(name, by).catch((error: unknown) => {
      log.error({ err: error, policy: name }, 'A saved policy was not said to the fleet.');
    });
  });
  return {
    heard(name) {
      waiting?.add(name);
      begin();
    },
    tick: begin,
  };
}
