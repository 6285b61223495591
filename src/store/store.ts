import type { SessionRepository, TokenRepository, UserRepository } from './repositories/accounts.js';
import type { AlertRepository } from './repositories/alerts.js';
import type { AuditRepository } from './repositories/audit.js';
import type { DecisionRepository } from './repositories/decisions.js';
import type { FlowRepository } from './repositories/flows.js';
import type { IncidentRepository } from './repositories/incidents.js';
import type {
  AllowlistRepository,
  LabelRepository,
  PolicyRepository,
  SettingRepository,
} from './repositories/knowledge.js';
import type { ResponseRequestRepository } from './repositories/response-requests.js';
import type { SampleRepository, TrainingRepository } from './repositories/training.js';
import type { PasskeyRepository } from './repositories/passkeys.js';
import type { HostRepository } from './repositories/hosts.js';
import type { SuppressionRepository } from './repositories/suppressions.js';
import type { ViewRepository } from './repositories/views.js';
import type { StatisticsRepository } from './repositories/statistics.js';
import type { RetentionResult } from './retention.js';

/** Everything that is kept, behind repositories. `queue` methods never wait; all others may. */
export interface Store {
  kind: 'sqlite' | 'mysql';
  alerts: AlertRepository;
  incidents: IncidentRepository;
  decisions: DecisionRepository;
  flows: FlowRepository;
  labels: LabelRepository;
  allowlist: AllowlistRepository;
  users: UserRepository;
  sessions: SessionRepository;
  tokens: TokenRepository;
  audit: AuditRepository;
  settings: SettingRepository;
  hosts: HostRepository;
  views: ViewRepository;
  suppressions: SuppressionRepository;
  passkeys: PasskeyRepository;
  policies: PolicyRepository;
  responseRequests: ResponseRequestRepository;
  statistics: StatisticsRepository;
  training: TrainingRepository;
  samples: SampleRepository;
  /** Deletes what is older than its retention. Run it every hour. */
  retain(nowMs: number): Promise<RetentionResult>;
  health(): Promise<{ ok: boolean; detail: string }>;
  /** Counters for /metrics: queued, written and dropped rows by queue. */
  stats(): Record<string, number>;
  /** Resolves when everything queued so far is written. */
  flush(): Promise<void>;
  close(): Promise<void>;
}
