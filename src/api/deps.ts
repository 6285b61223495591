import type {
  AllowRequest,
  BaselineDetail,
  BaselineSummary,
  CanaryResult,
  DecisionRequest,
  DoctorResult,
  ExplainResponse,
  Health,
  ListQuery,
  ModelDetail,
  ModelDrift,
  ModelInfo,
  ModelVersion,
  Page,
  PolicyDetail,
  PolicySummary,
  PolicyValidation,
  RuleFile,
  SensorStatus,
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
import type { Logger } from '../util/logger.js';

/** Who asks: goes into decisions, audit and SIEM events. */
export interface Actor {
  /** User name, `token:<name>` or `local`. */
  name: string;
  kind: 'user' | 'token' | 'local';
  address: string;
}

type Awaitable<T> = T | Promise<T>;

/**
 * What the API asks of the server daemon. Methods throw AppErrors: kind `user` reaches the client with its code
 * (404 for `*.not_found`, 409 for `decision.*`), everything else is 5xx.
 */
export interface Control {
  status(): Awaitable<Status>;
  setMode(mode: Mode, actor: Actor): Awaitable<void>;
  pause(secs: number, actor: Actor): Awaitable<void>;
  resume(actor: Actor): Awaitable<void>;

  /** @throws AppError decision.protected, decision.invalid, decision.warned (unless `override`) */
  addDecision(request: DecisionRequest, actor: Actor): Awaitable<Decision>;
  extendDecision(id: string, durationSecs: number, actor: Actor): Awaitable<Decision>;
  releaseDecision(id: string, reason: string, actor: Actor): Awaitable<Decision>;
  addAllow(request: AllowRequest, actor: Actor): Awaitable<AllowEntry>;
  removeAllow(id: string, actor: Actor): Awaitable<void>;
  protectedSet(): Awaitable<ProtectedEntry[]>;
  explain(address: string, port: number | undefined): Awaitable<ExplainResponse>;

  policies: {
    list(): Awaitable<PolicySummary[]>;
    get(name: string): Awaitable<PolicyDetail>;
    validate(yaml: string): Awaitable<PolicyValidation>;
    put(name: string, yaml: string, comment: string, actor: Actor): Awaitable<PolicyDetail>;
    test(name: string, alert: Alert): Awaitable<Verdict>;
  };
  /** @throws AppError model.*, user kind */
  models: {
    list(): Awaitable<ModelInfo[]>;
    get(name: string): Awaitable<ModelDetail>;
    version(name: string, version: string): Awaitable<ModelVersion>;
    promote(name: string, version: string, reason: string, actor: Actor): Awaitable<ModelDetail>;
    rollback(name: string, reason: string, actor: Actor): Awaitable<ModelDetail>;
    drift(): Awaitable<ModelDrift[]>;
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
  rules: { list(): Awaitable<RuleFile[]> };
  siem: { list(): Awaitable<SiemStatus[]>; test(name: string, actor: Actor): Awaitable<SiemTestResult> };
  system: { doctor(): Awaitable<DoctorResult>; canary(actor: Actor): Awaitable<CanaryResult> };
  sensors: {
    list(): Awaitable<SensorStatus[]>;
    capture(name: string, running: boolean, interfaces: string[] | undefined, actor: Actor): Awaitable<SensorStatus>;
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
  /** Epoch milliseconds; tests move it. */
  now?(): number;
}
