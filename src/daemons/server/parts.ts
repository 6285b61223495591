import type { ModelInfo, Status } from '../../contract/http.js';
import type { SensorCommand } from '../../contract/ipc.js';
import type { Mode } from '../../domain/decision.js';
import type { Forwarder } from '../../forward/index.js';
import type { GuardDeps, PolicyEngine, PolicyOptions } from '../../policy/index.js';
import type { Store } from '../../store/index.js';
import type { BaselineBook } from './baselines.js';
import type { DecisionBook, Exemptions } from './decisions.js';
import type { PolicyBook } from './policies.js';
import type { Questions } from './questions.js';
import type { SensorBook } from './sensors.js';

/** Mode and pause, kept in the store so that they survive a restart. */
export interface Settings {
  mode(): Mode;
  pausedUntilMs(): number;
  setMode(mode: Mode, actor: string): Promise<void>;
  pauseUntil(ms: number, actor: string): Promise<void>;
}

/** The server's parts as the API's control sees them. */
export interface ServerParts {
  store: Store;
  book: DecisionBook;
  exemptions: Exemptions;
  settings: Settings;
  sensors: SensorBook;
  baselines: BaselineBook;
  policies: PolicyBook;
  policyOptions: PolicyOptions;
  engine: PolicyEngine;
  guards: GuardDeps;
  forwarder: Forwarder;
  questions: Questions;
  responder(): Status['responder'];
  toSensor(name: string, command: SensorCommand): boolean;
  refreshAllowlist(): Promise<void>;
  models(): Promise<ModelInfo[]>;
  metrics(): Record<string, number>;
}
