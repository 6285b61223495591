import type {
  AllowCheck,
  AllowRequest,
  BacktestJob,
  BaselineDetail,
  BaselineSummary,
  CanaryResult,
  ChangeOutcome,
  DecisionRequest,
  DoctorResult,
  ExplainResponse,
  Fleet,
  Health,
  InjectRequest,
  ListQuery,
  Explanation,
  ModelDetail,
  ModelDrift,
  ModelInfo,
  ModelVersion,
  Page,
  PendingChange,
  PolicyDetail,
  PolicyDiff,
  PolicyExplanation,
  PolicySummary,
  PolicyValidation,
  ResponseAnswer,
  ResponseRequest,
  Ruleset,
  SensorStatus,
  SiemDeadLetter,
  SiemDeliveries,
  SiemDetail,
  SiemGap,
  SiemReceipt,
  SiemReload,
  SiemReplay,
  SiemStatus,
  SiemTestResult,
  Status,
  TrainingReport,
  TrainingRequest,
  TrainingRun,
  TrainingStatus,
} from '../contract/http.js';
import type { Alert } from '../domain/alert.js';
import type { AllowEntry, Decision, Mode, ProtectedEntry } from '../domain/decision.js';
import type { Verdict } from '../domain/verdict.js';
import type { AuditRecord, Store } from '../store/index.js';
import type { RemediationChanges, RemediationQuery } from './remediation.js';
import type { Logger } from '../util/logger.js';
import type { Passwords } from './auth/password.js';
import type { BackupControl } from './backup-control.js';
import type { EvidenceControl } from './evidence-control.js';
import type { SettingsControl } from './settings-control.js';
import type { LabControl } from './lab-control.js';
import type { InlineControl } from './inline-control.js';
import type { IntelControl } from './intel-control.js';
import type { RulesControl } from './rules-control.js';
import type { SuppressionsControl } from './suppressions-control.js';

/** Who asks: goes into decisions, audit and SIEM events. */
export interface Actor {
  /** User name, `token:<name>` or `local`. */
  name: string;
  kind: 'user' | 'token' | 'local';
  address: string;
}

type Awaitable<T> = T | Promise<T>;

/** The ways to the SIEM. Methods with a name throw siem.not_found. */
export interface SiemControl {
  list(): Awaitable<SiemStatus[]>;
  test(name: string, actor: Actor): Awaitable<SiemTestResult>;
  detail(name: string): Awaitable<SiemDetail>;
  receipts(name: string, limit: number): Awaitable<SiemReceipt[]>;
  gaps(name: string, limit: number): Awaitable<SiemGap[]>;
  deadLetters(name: string, limit: number): Awaitable<SiemDeadLetter[]>;
  /** @throws AppError siem.replay_busy, siem.nothing_to_replay */
  replay(name: string, fromMs: number, toMs: number): Awaitable<SiemReplay>;
  lastReplay(name: string): Awaitable<SiemReplay>;
  deliveries(id: string): Awaitable<SiemDeliveries>;
  /** @throws AppError config.*, siem.options: then nothing changed. */
  reload(): Awaitable<SiemReload>;
}

/**
 * What the API asks of the server daemon. Methods throw AppErrors: kind `user` reaches the client with its code
 * (404 for `*.not_found`, 409 for `decision.*`), everything else is 5xx.
 */
export interface Control {
  status(): Awaitable<Status>;
  /** @returns the change to confirm, with `confirmSecs` */
  setMode(mode: Mode, actor: Actor, confirmSecs?: number): Awaitable<PendingChange | undefined>;
  pause(secs: number, actor: Actor): Awaitable<void>;
  resume(actor: Actor): Awaitable<void>;

  /** @throws AppError decision.protected, decision.invalid, decision.warned (unless `override`) */
  addDecision(request: DecisionRequest, actor: Actor): Awaitable<Decision>;
  /** Whether it would be made. @throws AppError as {@link addDecision} */
  checkDecision(request: DecisionRequest, actor: Actor): Awaitable<void>;
  /** What is in force, simulated too, as the server knows it without its database. */
  decisionsInForce(): readonly Decision[];
  extendDecision(id: string, durationSecs: number, actor: Actor): Awaitable<Decision>;
  releaseDecision(id: string, reason: string, actor: Actor): Awaitable<Decision>;
  addAllow(request: AllowRequest, actor: Actor): Awaitable<AllowEntry>;
  removeAllow(id: string, actor: Actor): Awaitable<void>;
  checkAllow(value: string): Awaitable<AllowCheck>;
  protectedSet(): Awaitable<ProtectedEntry[]>;
  explain(
    address: string,
    packet: { port?: number | undefined; proto?: number | undefined },
  ): Awaitable<ExplainResponse>;

  policies: {
    list(): Awaitable<PolicySummary[]>;
    get(name: string): Awaitable<PolicyDetail>;
    validate(yaml: string): Awaitable<PolicyValidation>;
    /** @throws AppError policy.conflict */
    put(
      name: string,
      change: { yaml: string; comment: string; confirmSecs?: number | undefined; basedOn?: number | undefined },
      actor: Actor,
    ): Awaitable<PolicyDetail>;
    /** @throws AppError policy.no_version, policy.conflict */
    rollback(
      name: string,
      change: { version: number; comment: string; confirmSecs?: number | undefined; basedOn?: number | undefined },
      actor: Actor,
    ): Awaitable<PolicyDetail>;
    /** @throws AppError policy.not_saved */
    remove(name: string, actor: Actor): Awaitable<void>;
    diff(
      name: string,
      what: { from?: number | undefined; to?: number | undefined; yaml?: string | undefined },
    ): Awaitable<PolicyDiff>;
    test(name: string, alert: Alert): Awaitable<Verdict>;
    /** @param yaml a policy judged as if it were in force */
    explain(alert: Alert, yaml?: string): Awaitable<PolicyExplanation>;
  };
  changes: {
    list(): Awaitable<PendingChange[]>;
    /** @throws AppError change.not_found */
    confirm(id: string, actor: Actor): Awaitable<ChangeOutcome>;
    revert(id: string, actor: Actor): Awaitable<ChangeOutcome>;
  };
  backtests: {
    /** @throws AppError backtest.busy, policy.invalid */
    start(request: { sinceSecs: number; candidates: string[] }, actor: Actor): Awaitable<BacktestJob>;
    /** Newest first. */
    list(): Awaitable<BacktestJob[]>;
    /** @throws AppError backtest.not_found */
    get(id: string): Awaitable<BacktestJob>;
    cancel(id: string): Awaitable<BacktestJob>;
  };
  /** @throws AppError model.*, user kind */
  models: {
    list(): Awaitable<ModelInfo[]>;
    get(name: string): Awaitable<ModelDetail>;
    version(name: string, version: string): Awaitable<ModelVersion>;
    promote(name: string, version: string, reason: string, actor: Actor): Awaitable<ModelDetail>;
    rollback(name: string, reason: string, actor: Actor): Awaitable<ModelDetail>;
    drift(): Awaitable<ModelDrift[]>;
    /** @throws AppError model.not_found when no model made the alert, or its version is gone. */
    explain(alert: Alert): Awaitable<Explanation>;
  };
  /** @throws AppError training.*, user kind */
  training: {
    status(): Awaitable<TrainingStatus>;
    /** The report of a run that is not finished; others are in the store. */
    current(id: string): Awaitable<TrainingReport | undefined>;
    start(request: TrainingRequest, actor: Actor): Awaitable<TrainingRun>;
    cancel(id: string, actor: Actor): Awaitable<TrainingRun>;
    dismiss(id: string, reason: string, actor: Actor): Awaitable<TrainingRun>;
  };
  rules: RulesControl;
  suppressions: SuppressionsControl;
  intel: IntelControl;
  /** Packets judged before they pass. */
  inline: InlineControl;
  siem: SiemControl;
  /** Uploaded captures and their analysis. */
  lab: LabControl;
  evidence: EvidenceControl;
  settings: SettingsControl;
  /** As in the configuration. */
  homeNetworks(): readonly string[];
  /** One answer for each item; never throws for an item. */
  respond(request: ResponseRequest, actor: Actor): Awaitable<ResponseAnswer[]>;
  /** Decisions for components that enforce them elsewhere. */
  remediation: {
    list(query: RemediationQuery): Decision[];
    changes(reader: string, startup: boolean): RemediationChanges;
  };
  system: {
    doctor(): Awaitable<DoctorResult>;
    canary(actor: Actor): Awaitable<CanaryResult>;
    ruleset(): Awaitable<Ruleset>;
  };
  backups: BackupControl;
  sensors: {
    list(): Awaitable<SensorStatus[]>;
    capture(name: string, running: boolean, interfaces: string[] | undefined, actor: Actor): Awaitable<SensorStatus>;
    /** @throws AppError sensor.not_found, inject.refused */
    inject(name: string, request: InjectRequest, actor: Actor): Awaitable<{ packets: number; offender: string }>;
  };
  /** What is usual of inside hosts, by canonical address. */
  baselines: {
    list(query: ListQuery): Awaitable<Page<BaselineSummary>>;
    get(host: string): Awaitable<BaselineDetail | undefined>;
    /** @returns false when nothing is known of it. */
    forget(host: string, actor: Actor): Awaitable<boolean>;
  };
  /** Components for /health, beside the database. */
  health(): Health['components'];
  /** The fleet as this server sees it. */
  fleet(): Fleet;
  /** Counters for /metrics, names without the `portcullis_` prefix. */
  metrics(): Record<string, number>;
}

export interface ApiDeps {
  store: Store;
  control: Control;
  version: string;
  log: Logger;
  /** A person logged in or refreshed: the address belongs into the protected set until then. */
  onConsoleSession?(session: { user: string; address: string; expiresMs: number }): void;
  /** For forwarding to the SIEM. */
  onAudit?(record: AuditRecord): void;
  /** How passwords are hashed, if not as the product does; tests that are not about it do it at a low cost. */
  passwords?: Passwords;
  /** Epoch milliseconds; tests move it. */
  now?(): number;
}
