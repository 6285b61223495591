/** The types of the HTTP contract, as the console uses them. Types only: no schema code reaches the browser. */
import type { z } from 'zod';
import type { allowEntrySchema, decisionSchema, protectedEntrySchema } from '@contract/ipc';
import type {
  alertDetailSchema,
  allowReleaseResponseSchema,
  auditCheckSchema,
  incidentSchema,
  policyProblemSchema,
  tokenCreatedSchema,
  userCreatedSchema,
  verdictSchema,
} from '@contract/http';

export type {
  AlertRow,
  ApiToken,
  AuditEntry,
  CanaryResult,
  Check,
  Comment,
  DecisionDetail,
  DecisionHistory,
  DecisionRequest,
  AllowRequest,
  DoctorResult,
  ExplainResponse,
  IncidentDetail,
  Label,
  LiveTopic,
  LiveUpdate,
  MeResponse,
  ModelInfo,
  Overview,
  Page,
  PolicyDetail,
  PolicySummary,
  PolicyValidation,
  PolicyVersion,
  Role,
  RuleFile,
  SensorStatus,
  Session,
  SessionUser,
  SiemStatus,
  SiemTestResult,
  Status,
  StoredFlow,
  TimelinePoint,
  TotpStartResponse,
  User,
} from '@contract/http';
export type { AlertState, LabelVerdict } from '@domain/alert';
export type { Action, Enforcement, Mode, Origin, Scope } from '@domain/decision';
export type { EvidenceItem, Tier } from '@domain/detection';
export type { IncidentState } from '@domain/incident';
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
