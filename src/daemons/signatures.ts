import {
  loadRules,
  loadRulesGradually,
  SignatureEngine,
  type EngineDeps,
  type FileProblem,
  type SignatureOptions as EngineOptions,
} from '../detect/signature/index.js';
import type { AppWatcher } from '../domain/app-layer.js';
import type { Detection } from '../domain/detection.js';
import { communityIdOf } from '../flow/index.js';
import { readConfiguredRules } from './rule-files.js';
import { observeSignatures, type ObserverOptions, type SignatureObserver } from './signature-observer.js';

export { readRuleFile, shippedRules } from './rule-files.js';

export type SignatureOptions = EngineOptions & ObserverOptions;

export interface SignatureDeps {
  emit(detection: Detection): void;
  /** See `AlertDeps.emitQuietly`. */
  emitQuietly?(detection: Detection): void;
  /** See `AlertDeps.onTagged`. */
  onTagged?: NonNullable<EngineDeps['onTagged']>;
  sensor: string;
  /** Sees transactions beside the rules. */
  watcher?: AppWatcher;
}

/** The signature engine as one observer of the packet path. */
export interface Signatures {
  observer: SignatureObserver;
  problems: readonly FileProblem[];
  /**
   * Reads the rule files again while packets go on, then swaps the rules at once; flows keep their state.
   * @param sliceMs longest time at a stretch, milliseconds, but for one group of rules.
   */
  reload(sliceMs?: number): Promise<readonly FileProblem[]>;
}

/** Reads rule files and builds the engine behind reassembly and protocol parsers. */
export function createSignatures(options: SignatureOptions, deps: SignatureDeps): Signatures {
  const first = readConfiguredRules(options);
  const loaded = loadRules(first.files, first.load);
  const engine = new SignatureEngine(loaded.rules, options, { ...deps, communityId: communityIdOf });
  let problems = [...first.problems, ...loaded.problems];
  return {
    observer: observeSignatures(engine, options, deps.watcher),
    get problems() {
      return problems;
    },
    async reload(sliceMs) {
      const read = readConfiguredRules(options);
      const { rules, problems: found } = await loadRulesGradually(read.files, read.load, sliceMs);
      await engine.setRulesGradually(rules, sliceMs);
      problems = [...read.problems, ...found];
      return problems;
    },
  };
}
