import type { LoadedConfig } from '../config/index.js';
import type { ScoredFlow, ShadowCount } from '../contract/ipc.js';
import { createBehaviour } from '../detect/behaviour/index.js';
import { createScorer, type Scorer, type Shadow } from '../detect/scoring/index.js';
import type { Detection } from '../domain/detection.js';
import type { PacketObserver } from '../domain/stage.js';
import {
  createFlowFeatures,
  createKddFeatures,
  FLOW_SCHEMA,
  KDD_SCHEMA,
  kddFeatureOptionsSchema,
  type EmitVector,
} from '../features/index.js';
import { nowUs } from '../util/clock.js';
import type { Logger } from '../util/logger.js';
import { modelFolders, schemaOf, type ModelFolder } from './model-folders.js';
import { createSignatures, type Signatures } from './signatures.js';

export interface DetectorDeps {
  emit(detection: Detection): void;
  log: Logger;
  sensor: string;
  /** Offline: nothing is shed, times are packet times. */
  offline?: boolean;
  /** Rule files instead of the configured ones. */
  rules?: string[];
  /** Folder with models promoted on this box; offline only what is shipped or named scores. */
  dataDir?: string;
}

/** Everything that looks at packets in their flow and finds something. */
export interface Detectors {
  observers: PacketObserver[];
  reload(what: 'rules' | 'models' | 'intel' | 'detectors'): Promise<void>;
  /** Offline: resolves when everything seen so far has been judged. */
  drain(): Promise<void>;
  /** Scored vectors drawn by chance, and how challengers agree with their champions, since the last call. */
  takeScoringReport(): { samples: ScoredFlow[]; shadow: ShadowCount[] };
  stats(): Record<string, number>;
  close(): Promise<void>;
}

/** Builds the detectors that the configuration switches on. Model folders default to those shipped. */
export async function createDetectors(
  config: Pick<LoadedConfig, 'features' | 'detect'>,
  deps: DetectorDeps,
): Promise<Detectors> {
  const { enabled: behaviourOn, ...behaviour } = config.detect.behaviour;
  const { enabled: modelsOn, ...scoring } = config.detect.models;
  const { enabled: signatureOn, ...signature } = config.detect.signature;
  const observers: PacketObserver[] = [];
  let signatures: Signatures | undefined;
  if (signatureOn) {
    // Rules named on the command line are all there is; the folder adds what was fetched and what the operator changed.
    const chosen = deps.rules === undefined ? signature : { ...signature, rules: deps.rules, folder: undefined };
    signatures = createSignatures(chosen, { emit: deps.emit, sensor: deps.sensor });
    for (const problem of signatures.problems) deps.log.warn({ ...problem }, 'a rule was skipped');
    observers.push(signatures.observer);
  }
  if (behaviourOn)
    observers.push(
      createBehaviour(behaviour, { emit: deps.emit, sensor: deps.sensor, ...(deps.offline ? {} : { nowUs }) }),
    );
  const folders = modelsOn ? modelFolders(scoring.models, deps.dataDir) : [];
  const usesKdd = folders.some(({ dir }) => schemaOf(dir) === KDD_SCHEMA.name);
  let scorer: Scorer | undefined;
  if (folders.length > 0) {
    const made = createScorer(
      { ...scoring, models: folders.map(({ dir }) => dir) },
      {
        emit: deps.emit,
        log: deps.log,
        schemas: usesKdd ? [FLOW_SCHEMA, KDD_SCHEMA] : [FLOW_SCHEMA],
        sensor: deps.sensor,
        ...(deps.offline === undefined ? {} : { offline: deps.offline }),
      },
    );
    await made.reload(...scored(folders));
    scorer = made;
    const emit: EmitVector = (vector, _packet, flows, slot) => made.push(vector, flows, slot);
    observers.push(createFlowFeatures(config.features, { emit }));
    if (usesKdd) observers.push(createKddFeatures(kddFeatureOptionsSchema.parse({}), { emit }));
  }
  return {
    observers,
    async reload(what) {
      if (what === 'rules') {
        for (const problem of (await signatures?.reload()) ?? []) deps.log.warn({ ...problem }, 'a rule was skipped');
      }
      if (what === 'models') await scorer?.reload(...scored(modelFolders(scoring.models, deps.dataDir)));
    },
    drain: async () => scorer?.drain(),
    takeScoringReport: () => scorer?.takeReport() ?? { samples: [], shadow: [] },
    stats: () => (scorer ? scorer.stats() : {}),
    close: async () => scorer?.close(),
  };
}

/** Champions and challengers as the scorer wants them. */
function scored(folders: readonly ModelFolder[]): [string[], Shadow[]] {
  const shadows = folders.flatMap(({ dir, challenger }) =>
    challenger === undefined ? [] : [{ dir: challenger, of: dir }],
  );
  return [folders.map(({ dir }) => dir), shadows];
}
