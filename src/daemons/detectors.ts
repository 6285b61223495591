import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { realpathSync } from 'node:fs';
import type { LoadedConfig } from '../config/index.js';
import type { ScoredFlow, ShadowCount } from '../contract/ipc.js';
import { createBehaviour, type Behaviour } from '../detect/behaviour/index.js';
import { createIntel, IndicatorTable, TABLE_FILE, type Intel } from '../detect/intel/index.js';
import { createScorer, type ReloadReport, type Scorer, type Shadow } from '../detect/scoring/index.js';
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
import { errorMessage } from '../util/errors.js';
import type { Logger } from '../util/logger.js';
import { modelFolders, schemaOf, type ModelFolder } from './model-folders.js';
import type { BypassRule } from './flow-bypass.js';
import { skipBypassed } from './sensor/skip-bypassed.js';
import { createSignatures, type SignatureDeps, type Signatures } from './signatures.js';

export interface DetectorDeps {
  emit(detection: Detection): void;
  /** See `AlertDeps.onTagged`. */
  onTagged?: SignatureDeps['onTagged'];
  log: Logger;
  sensor: string;
  /** Offline: nothing is shed, times are packet times. */
  offline?: boolean;
  /** What signatures need not look at; nothing unless given. */
  bypass?: BypassRule | undefined;
  /** Rule files instead of the configured ones. */
  rules?: string[];
  /** Folder with models promoted on this box; offline only what is shipped or named scores. */
  dataDir?: string;
  /** Folder of the indicators in use; without it nothing is looked up. */
  intelFolder?: string | undefined;
}

/** Everything that looks at packets in their flow and finds something. */
export interface Detectors {
  observers: PacketObserver[];
  /** Models that were to score and cannot, at the start; the log has them too. */
  refusedModels: readonly ReloadReport[];
  reload(what: 'rules' | 'models' | 'intel' | 'detectors'): Promise<void>;
  /** Offline: resolves when everything seen so far has been judged. */
  drain(): Promise<void>;
  /** What is usual of inside hosts; absent when nothing is learned. */
  baselines: Behaviour['baselines'];
  /**
   * Loads again what is another than before: models after a promotion or rollback by hand, indicators that were
   * fetched while no server could say so.
   */
  refresh(): Promise<void>;
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
  const { enabled: signatureOn, bypass: _bypass, ...signature } = config.detect.signature;
  const { enabled: intelOn, folder: _folder, feeds: _feeds, ...intelOptions } = config.detect.intel;
  const observers: PacketObserver[] = [];
  let signatures: Signatures | undefined;
  let intel: Intel | undefined;
  let indicators: ReturnType<typeof watchIndicators> | undefined;
  if (intelOn && deps.intelFolder !== undefined) {
    const live = deps.offline ? {} : { nowUs };
    intel = createIntel({ ...intelOptions, feeds: [] }, { emit: deps.emit, sensor: deps.sensor, ...live });
    indicators = watchIndicators(intel, deps.intelFolder, deps.log);
    await indicators.refresh();
    observers.push(intel.observer);
  }
  if (signatureOn) {
    // Rules named on the command line are all there is; the folder adds what was fetched and what the operator changed.
    const chosen = deps.rules === undefined ? signature : { ...signature, rules: deps.rules, folder: undefined };
    signatures = createSignatures(chosen, {
      emit: deps.emit,
      ...(deps.onTagged ? { onTagged: deps.onTagged } : {}),
      sensor: deps.sensor,
      ...(intel ? { watcher: intel.watcher } : {}),
    });
    for (const problem of signatures.problems) deps.log.warn({ ...problem }, 'a rule was skipped');
    observers.push(deps.bypass ? skipBypassed(signatures.observer, deps.bypass) : signatures.observer);
  }
  const watcher = behaviourOn
    ? createBehaviour(behaviour, { emit: deps.emit, sensor: deps.sensor, ...(deps.offline ? {} : { nowUs }) })
    : undefined;
  if (watcher) observers.push(watcher);
  const folders = modelsOn ? modelFolders(scoring.models, deps.dataDir) : [];
  for (const { name, outdated } of folders) {
    if (outdated === undefined) continue;
    deps.log.warn(
      { model: name, dir: outdated },
      'A promoted model knows other features than this version has; the shipped one scores until another is promoted.',
    );
  }
  const usesKdd = folders.some(({ dir }) => schemaOf(dir) === KDD_SCHEMA.name);
  let scorer: Scorer | undefined;
  let refusedModels: ReloadReport[] = [];
  let loaded = fingerprint(folders);
  if (folders.length > 0) {
    const made = createScorer(
      { ...scoring, models: folders.map(({ dir }) => dir) },
      {
        emit: deps.emit,
        log: deps.log,
        schemas: usesKdd ? [FLOW_SCHEMA, KDD_SCHEMA] : [FLOW_SCHEMA],
        sensor: deps.sensor,
        windows: { shortSecs: config.features.shortWindowSecs, longSecs: config.features.longWindowSecs },
        ...(deps.offline === undefined ? {} : { offline: deps.offline }),
      },
    );
    refusedModels = (await made.reload(...scored(folders))).filter((report) => !report.ok);
    scorer = made;
    const emit: EmitVector = (vector, _packet, flows, slot) => made.push(vector, flows, slot);
    observers.push(createFlowFeatures(config.features, { emit }));
    if (usesKdd) observers.push(createKddFeatures(kddFeatureOptionsSchema.parse({}), { emit }));
  }
  return {
    observers,
    refusedModels,
    baselines: watcher?.baselines,
    async reload(what) {
      if (what === 'rules') {
        const problems = (await signatures?.reload()) ?? [];
        for (const problem of problems) deps.log.warn({ ...problem }, 'a rule was skipped');
        if (signatures) deps.log.info({ problems: problems.length }, 'The new rules are in use.');
      }
      if (what === 'intel') await indicators?.refresh();
      if (what === 'models') {
        const now = modelFolders(scoring.models, deps.dataDir);
        loaded = fingerprint(now);
        await scorer?.reload(...scored(now));
      }
    },
    drain: async () => scorer?.drain(),
    async refresh() {
      await indicators?.refresh();
      const now = modelFolders(scoring.models, deps.dataDir);
      if (!scorer || fingerprint(now) === loaded) return;
      loaded = fingerprint(now);
      await scorer.reload(...scored(now));
    },
    takeScoringReport: () => scorer?.takeReport() ?? { samples: [], shadow: [] },
    stats: () => (scorer ? scorer.stats() : {}),
    close: async () => scorer?.close(),
  };
}

/** Changes when a folder is another one, or leads elsewhere. */
function fingerprint(folders: readonly ModelFolder[]): string {
  return folders
    .map(({ dir, challenger }) => `${target(dir)} ${challenger === undefined ? '' : target(challenger)}`)
    .join('\n');
}

function target(dir: string): string {
  try {
    return realpathSync(dir);
  } catch {
    return '';
  }
}

/** Champions and challengers as the scorer wants them. */
function scored(folders: readonly ModelFolder[]): [string[], Shadow[]] {
  const shadows = folders.flatMap(({ dir, challenger }) =>
    challenger === undefined ? [] : [{ dir: challenger, of: dir }],
  );
  return [folders.map(({ dir }) => dir), shadows];
}

/** Puts the table that the server built in use whenever its file is another; a damaged one is refused and the old one stays. */
function watchIndicators(intel: Intel, folder: string, log: Logger): { refresh(): Promise<void> } {
  const path = join(folder, TABLE_FILE);
  let loaded = '';

  async function refresh(): Promise<void> {
    const info = await stat(path).catch(() => undefined);
    // No feed was fetched yet.
    if (info === undefined) return;
    const version = `${info.ino} ${info.mtimeMs} ${info.size}`;
    if (version === loaded) return;
    loaded = version;
    try {
      const table = IndicatorTable.parse(await readFile(path));
      intel.setTable(table);
      log.info({ indicators: table.count }, 'Threat intelligence is in use.');
    } catch (error) {
      log.error({ path, reason: errorMessage(error) }, 'The table of indicators cannot be used; the old one stays.');
    }
  }
  return { refresh };
}
