import type {
  AllowRequest,
  CanaryResult,
  DecisionRequest,
  DoctorResult,
  ExplainResponse,
  Health,
  ModelInfo,
  PolicyDetail,
  PolicySummary,
  PolicyValidation,
  RuleFile,
  SensorStatus,
  SiemStatus,
  SiemTestResult,
  Status,
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
  models: { list(): Awaitable<ModelInfo[]> };
  rules: { list(): Awaitable<RuleFile[]> };
  siem: { list(): Awaitable<SiemStatus[]>; test(name: string, actor: Actor): Awaitable<SiemTestResult> };
  system: { doctor(): Awaitable<DoctorResult>; canary(actor: Actor): Awaitable<CanaryResult> };
  sensors: {
    list(): Awaitable<SensorStatus[]>;
    capture(name: string, running: boolean, interfaces: string[] | undefined, actor: Actor): Awaitable<SensorStatus>;
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
