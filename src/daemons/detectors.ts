import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { installRoot, type LoadedConfig } from '../config/index.js';
import { createBehaviour } from '../detect/behaviour/index.js';
import { createScorer, type Scorer } from '../detect/scoring/index.js';
import type { Detection } from '../domain/detection.js';
import type { PacketObserver } from '../domain/stage.js';
import { createFlowFeatures, FLOW_SCHEMA } from '../features/index.js';
import { nowUs } from '../util/clock.js';
import type { Logger } from '../util/logger.js';
import { createSignatures, type Signatures } from './signatures.js';

export interface DetectorDeps {
  emit(detection: Detection): void;
  log: Logger;
  sensor: string;
  /** Offline: nothing is shed, times are packet times. */
  offline?: boolean;
  /** Rule files instead of the configured ones. */
  rules?: string[];
}

/** Everything that looks at packets in their flow and finds something. */
export interface Detectors {
  observers: PacketObserver[];
  reload(what: 'rules' | 'models' | 'intel' | 'detectors'): Promise<void>;
  /** Offline: resolves when everything seen so far has been judged. */
  drain(): Promise<void>;
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
    const rules = deps.rules ?? signature.rules;
    signatures = createSignatures({ ...signature, rules }, { emit: deps.emit, sensor: deps.sensor });
    for (const problem of signatures.problems) deps.log.warn({ ...problem }, 'a rule was skipped');
    observers.push(signatures.observer);
  }
  if (behaviourOn)
    observers.push(
      createBehaviour(behaviour, { emit: deps.emit, sensor: deps.sensor, ...(deps.offline ? {} : { nowUs }) }),
    );
  const folders = modelsOn ? modelFolders(scoring.models) : [];
  let scorer: Scorer | undefined;
  if (folders.length > 0) {
    const made = createScorer(
      { ...scoring, models: folders },
      {
        emit: deps.emit,
        log: deps.log,
        schemas: [FLOW_SCHEMA],
        sensor: deps.sensor,
        ...(deps.offline === undefined ? {} : { offline: deps.offline }),
      },
    );
    await made.start();
    scorer = made;
    observers.push(
      createFlowFeatures(config.features, { emit: (vector, _packet, flows, slot) => made.push(vector, flows, slot) }),
    );
  }
  return {
    observers,
    async reload(what) {
      if (what === 'rules') signatures?.reload();
      if (what === 'models') await scorer?.reload(modelFolders(scoring.models));
    },
    drain: async () => scorer?.drain(),
    stats: () => (scorer ? scorer.stats() : {}),
    close: async () => scorer?.close(),
  };
}

/** The configured model folders, else every model shipped in `models/`. */
export function modelFolders(configured: readonly string[]): string[] {
  if (configured.length > 0) return [...configured];
  const root = join(installRoot(), 'models');
  if (!existsSync(root)) return [];
  return readdirSync(root)
    .map((name) => join(root, name))
    .filter((dir) => existsSync(join(dir, 'card.json')));
}
