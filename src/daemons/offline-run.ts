import { openFileSource } from '../capture/index.js';
import type { LoadedConfig } from '../config/index.js';
import type { Detection } from '../domain/detection.js';
import type { FlowRecord } from '../domain/flow.js';
import { toFlowRecord } from '../flow/index.js';
import { createPolicyEngine, type Policy, type PolicyEngine } from '../policy/index.js';
import { silentLogger } from '../util/logger.js';
import { uuid7 } from '../util/uuid7.js';
import { createDetectors, type Detectors } from './detectors.js';
import { createPipeline, type Pipeline } from './pipeline.js';

export interface OfflineDeps {
  onDetection(detection: Detection): void;
  onFlow?: (flow: FlowRecord) => void;
  /** After each block of packets. */
  onProgress?: (packets: number) => void;
  /** Rule files instead of the configured ones. */
  rules?: string[];
}

/** The live detectors over one capture: its own flows and state, so that captures do not influence each other. */
export interface OfflineRun {
  pipeline: Pipeline;
  detectors: Detectors;
  /** Reads the whole capture. @throws AppError capture.*; what came before the damage has been seen. */
  read(path: string, signal: AbortSignal): Promise<void>;
  /** Ends every flow; resolves when everything has been judged. */
  finish(): Promise<void>;
}

export async function openOfflineRun(config: LoadedConfig, deps: OfflineDeps): Promise<OfflineRun> {
  const detectors = await createDetectors(config, {
    emit: deps.onDetection,
    log: silentLogger,
    sensor: config.name,
    offline: true,
    ...(deps.rules === undefined ? {} : { rules: deps.rules }),
  });
  const pipeline = createPipeline(config, {
    observers: detectors.observers,
    onFlowEnd(flows, slot, reason) {
      deps.onFlow?.(toFlowRecord(flows, slot, reason));
    },
  });
  return {
    pipeline,
    detectors,
    async read(path, signal) {
      const source = await openFileSource(path);
      try {
        await source.run((block) => {
          pipeline.push(block);
          deps.onProgress?.(pipeline.packets);
        }, signal);
      } finally {
        source.close();
      }
    },
    async finish() {
      pipeline.flush();
      await detectors.drain();
    },
  };
}

/** A policy engine that enforces everything and protects nothing: for what would have been done. */
export function createOfflineEngine(config: LoadedConfig, policies: readonly Policy[]): PolicyEngine {
  const engine = createPolicyEngine(config.policy, {
    mode: () => 'enforce',
    pausedUntilMs: () => 0,
    newId: uuid7,
    findProtected: () => undefined,
    findAllowed: () => undefined,
    blastRadius: () => undefined,
  });
  engine.setPolicies([...policies]);
  return engine;
}
