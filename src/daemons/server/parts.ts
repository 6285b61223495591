import type { LoadedConfig } from '../../config/index.js';
import type { Fleet, Status } from '../../contract/http.js';
import type { SensorCommand } from '../../contract/ipc.js';
import type { RulesControl, SuppressionsControl } from '../../api/index.js';
import type { Mode } from '../../domain/decision.js';
import type { Forwarder, ResponseRequestOptions } from '../../forward/index.js';
import type { GuardDeps, PolicyEngine, PolicyOptions } from '../../policy/index.js';
import type { Store } from '../../store/index.js';
import type { Logger } from '../../util/logger.js';
import type { BaselineBook } from './baselines.js';
import type { createConfiguration } from './configuration.js';
import type { EvidenceStore } from './evidence.js';
import type { Lab } from './lab.js';
import type { DecisionBook, Exemptions } from './decisions.js';
import type { BacktestJobs } from './backtests.js';
import type { ChangeBook } from './changes.js';
import type { PolicyBook } from './policies.js';
import type { RemediationFeed } from './remediation.js';
import type { InlineBook } from './inline.js';
import type { IntelBook } from './intel.js';
import type { Questions } from './questions.js';
import type { SensorBook } from './sensors.js';
import type { Learning } from './training-parts.js';

/** Observing for a time before the mode changes. */
export interface LearningTime {
  untilMs: number;
  thenMode: Mode;
}

/** Mode and pause, kept in the store so that they survive a restart. */
export interface Settings {
  mode(): Mode;
  pausedUntilMs(): number;
  /** A time of observing, and the mode that follows it. */
  learning(): LearningTime | null;
  learn(learning: LearningTime | null, actor: string): Promise<void>;
  /** Ends the learning when its time has come; call it once a second. */
  tick(nowMs: number): Promise<void>;
  /** Takes over what another server that shares the database has set; call it every few seconds. */
  refresh(): Promise<void>;
  setMode(mode: Mode, actor: string): Promise<void>;
  pauseUntil(ms: number, actor: string): Promise<void>;
  /** Another server of the fleet was told so, and has stored it. */
  adoptPause(ms: number): void;
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
  /** Changes that wait for their confirmation. */
  changes: ChangeBook;
  backtests: BacktestJobs;
  canary(): NonNullable<Status['canary']>;
  problems(): NonNullable<Status['problems']>;
  policyOptions: PolicyOptions;
  engine: PolicyEngine;
  guards: GuardDeps;
  forwarder: Forwarder;
  /** Decisions for CrowdSec remediation components. */
  remediation: RemediationFeed;
  /** What a SIEM may ask for. */
  responseOptions: ResponseRequestOptions;
  /** The configuration file, or undefined for built-in defaults. */
  configFile: string | undefined;
  /** The destinations follow this configuration now. */
  siemReloaded(config: LoadedConfig): Promise<void>;
  rules: RulesControl;
  suppressions: SuppressionsControl;
  intel: IntelBook;
  inline: InlineBook;
  questions: Questions;
  responder(): Status['responder'];
  toSensor(name: string, command: SensorCommand): boolean;
  refreshAllowlist(): Promise<void>;
  learning: Learning;
  lab: Lab;
  configuration: ReturnType<typeof createConfiguration>;
  config: LoadedConfig;
  evidence: EvidenceStore;
  fleet(): Fleet;
  metrics(): Record<string, number>;
  log: Logger;
}
