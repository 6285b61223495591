/** The types of the HTTP contract, as the console uses them. Types only: no schema code reaches the browser. */
import type { z } from 'zod';
import type { IncidentState } from '@domain/incident';
import type { allowEntrySchema, decisionSchema, protectedEntrySchema } from '@contract/ipc';
import type {
  alertDetailSchema,
  allowReleaseResponseSchema,
  auditCheckSchema,
  incidentSchema,
  policyProblemSchema,
  ruleProblemSchema,
  siemReloadSchema,
  siemReplaySchema,
  tokenCreatedSchema,
  userCreatedSchema,
  verdictSchema,
} from '@contract/http';

export type {
  AddressFacts,
  AlertRow,
  AllowCheck,
  AllowRequest,
  ApiToken,
  AuditEntry,
  BacktestBlockRow,
  BacktestJob,
  BacktestReport,
  BacktestSide,
  Backup,
  BackupCheck,
  Backups,
  BaselineDetail,
  BaselineSummary,
  BulkRelease,
  CanaryResult,
  Capture,
  ChangeOutcome,
  Check,
  Comment,
  DecisionDetail,
  DecisionHistory,
  DecisionRequest,
  DoctorResult,
  DriftFigure,
  ExplainResponse,
  Explanation,
  Fleet,
  FleetMemberView as FleetMember,
  FlowSample,
  HookedChain,
  Host,
  HostGraph,
  HostPeer,
  ImportRequest,
  ImportResult,
  IncidentActivity,
  IncidentDetail,
  InlineStatus,
  IntelFeed,
  IntelMatch,
  IntelSummary,
  Job,
  JobAlert,
  JobBlock,
  KernelSet,
  Label,
  LabelQueue,
  LabelQueueItem,
  LiveTopic,
  LiveUpdate,
  MeResponse,
  ModelCurves,
  ModelDetail,
  ModelDrift,
  ModelInfo,
  ModelVersion,
  NetworkInterface,
  Overview,
  PacketDetail,
  PacketLayer,
  PacketPage,
  PacketSummary,
  Page,
  Passkey,
  PendingChange,
  PolicyDetail,
  PolicyDiff,
  PolicyExplanation,
  PolicySummary,
  PolicyValidation,
  PolicyVersion,
  ResponseResult,
  Role,
  RuleCheck,
  RuleDetail,
  RuleFile,
  RuleList,
  RuleRow,
  RuleSource,
  RuleSources,
  RuleUpdateReport,
  Ruleset,
  SavedView,
  SensorStatus,
  Session,
  SessionUser,
  Setting,
  Setup,
  SetupChange,
  ShadowReport,
  SiemDeadLetter,
  SiemDeliveries,
  SiemDetail,
  SiemGap,
  SiemReceipt,
  SiemStatus,
  SiemTestResult,
  Status,
  SuppressionRequest,
  SuppressionRow,
  StoredFlow,
  TimelinePoint,
  TokenScope,
  TotpStartResponse,
  TrainingReport,
  TrainingRun,
  TrainingStatus,
  User,
} from '@contract/http';
export type { InlineDrop, InlineMode, InlineState } from '@contract/inline';
export type { ModelCard } from '@contract/model-card';
export type { AlertState, LabelVerdict } from '@domain/alert';
export type { Action, Enforcement, Mode, Origin, Scope } from '@domain/decision';
export type { EvidenceItem, Tier } from '@domain/detection';
export type { IncidentState } from '@domain/incident';
/** What people change of an incident; a null owner is nobody. */
export interface IncidentPatch {
  state?: IncidentState;
  owner?: string | null;
}
export type { Severity } from '@domain/severity';

export type Decision = z.infer<typeof decisionSchema>;
export type AllowEntry = z.infer<typeof allowEntrySchema>;
export type ProtectedEntry = z.infer<typeof protectedEntrySchema>;
export type Incident = z.infer<typeof incidentSchema>;
export type AlertDetail = z.infer<typeof alertDetailSchema>;
export type Verdict = z.infer<typeof verdictSchema>;
export type AllowRelease = z.infer<typeof allowReleaseResponseSchema>;
export type UserCreated = z.infer<typeof userCreatedSchema>;
export type TokenCreated = z.infer<typeof tokenCreatedSchema>;
export type AuditCheck = z.infer<typeof auditCheckSchema>;
export type PolicyProblem = z.infer<typeof policyProblemSchema>;
export type SiemReplay = z.infer<typeof siemReplaySchema>;
export type SiemReload = z.infer<typeof siemReloadSchema>;
export type RuleProblem = z.infer<typeof ruleProblemSchema>;
