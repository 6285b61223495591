import { join } from 'node:path';
import type { LoadedConfig } from '../../config/index.js';
import {
  createBlastTracker,
  createPolicyEngine,
  type BlastTracker,
  type GuardDeps,
  type PolicyEngine,
} from '../../policy/index.js';
import type { Store } from '../../store/index.js';
import type { Logger } from '../../util/logger.js';
import { uuid7 } from '../../util/uuid7.js';
import type { Exemptions } from './decisions.js';
import type { Outlets } from './outlets.js';
import type { Settings } from './parts.js';
import { createPolicyBook, type PolicyBook } from './policies.js';
import { watchPolicies } from './policy-watch.js';
import type { ProblemList } from './problems.js';
import { warmUp } from './warm-up.js';

const BLAST_WINDOW_MS = 86_400_000;
const BLAST_ADDRESSES = 50_000;
/** Enough for the compiler to have seen the whole way; takes a third of a second. */
const WARM_UP_ROUNDS = 3000;

/** Policies in force, the engine that judges by them, and what its guards ask. */
export interface Policing {
  engine: PolicyEngine;
  policies: PolicyBook;
  guards: GuardDeps;
  blast: BlastTracker;
  close(): void;
}

interface PolicingDeps {
  store: Store;
  settings: Settings;
  exemptions: Exemptions;
  outlets: Outlets;
  problems: ProblemList;
  log: Logger;
}

/** @throws AppError policy.invalid */
export async function openPolicing(config: LoadedConfig, deps: PolicingDeps): Promise<Policing> {
  const { settings, exemptions, outlets, log } = deps;
  const blast = createBlastTracker({
    maxAddresses: BLAST_ADDRESSES,
    windowMs: BLAST_WINDOW_MS,
    homeNetworks: config.policy.home_networks,
  });
  const guards: GuardDeps = {
    findProtected: exemptions.findProtected,
    findAllowed: exemptions.findAllowed,
    blastRadius: (network) => blast.radius(network, Date.now()),
  };
  const engine = createPolicyEngine(config.policy, {
    ...guards,
    mode: settings.mode,
    pausedUntilMs: settings.pausedUntilMs,
    newId: uuid7,
  });
  const ownDir = join(config.data_dir, 'policies');
  const policies = createPolicyBook({
    dir: config.policy.dir,
    ownDir,
    repository: deps.store.policies,
    engine,
    log,
  });
  await policies.load();
  warmUp({ correlate: config.correlate, policy: config.policy, policies: engine.policies(), rounds: WARM_UP_ROUNDS });
  const watch = watchPolicies({
    dirs: [config.policy.dir, ownDir],
    load: policies.load,
    failed(message) {
      deps.problems.add({
        atMs: Date.now(),
        component: 'policies',
        severity: 'medium',
        code: 'policy.invalid',
        message,
      });
      outlets.health('policies', 'warning', message);
    },
    log,
  });
  return {
    engine,
    policies,
    guards,
    blast,
    close() {
      watch.close();
    },
  };
}
