import { createApiClient } from './client';
import type {
  AlertDetail,
  AlertRow,
  AlertState,
  AllowEntry,
  AllowRelease,
  AllowRequest,
  ApiToken,
  AuditCheck,
  AuditEntry,
  CanaryResult,
  Comment,
  Decision,
  DecisionDetail,
  DecisionRequest,
  DoctorResult,
  ExplainResponse,
  Incident,
  IncidentDetail,
  IncidentState,
  Label,
  LabelVerdict,
  MeResponse,
  Mode,
  ModelInfo,
  Overview,
  Page,
  PolicyDetail,
  PolicySummary,
  PolicyValidation,
  ProtectedEntry,
  Role,
  RuleFile,
  SensorStatus,
  Session,
  SessionUser,
  SiemStatus,
  SiemTestResult,
  Status,
  StoredFlow,
  TokenCreated,
  TotpStartResponse,
  User,
  UserCreated,
  Verdict,
} from './types';

export const client = createApiClient<SessionUser>();

export type ListQuery = { limit?: number | undefined; cursor?: string | undefined; q?: string | undefined };
const at = (text: string): string => encodeURIComponent(text);
const list =
  <T>(path: string) =>
  (query?: ListQuery, signal?: AbortSignal): Promise<Page<T>> =>
    client.get<Page<T>>(path, query, signal);

/** One function for each operation of the contract. */
export const api = {
  me: () => client.get<MeResponse>('/auth/me'),
  changePassword: (current: string, next: string) =>
    client.post<Awaited<ReturnType<typeof client.login>>>('/auth/password', { current, next }),
  startTotp: () => client.post<TotpStartResponse>('/auth/totp'),
  confirmTotp: (code: string) => client.post<{ recoveryCodes: string[] }>('/auth/totp/confirm', { code }),
  disableTotp: () => client.delete<undefined>('/auth/totp'),

  status: () => client.get<Status>('/status'),
  setMode: (mode: Mode) => client.put<Status>('/mode', { mode }),
  pause: (secs: number) => client.post<Status>('/pause', { secs }),
  resume: () => client.delete<Status>('/pause'),
  overview: (minutes: number) => client.get<Overview>('/stats/overview', { minutes }),

  alerts: list<AlertRow>('/alerts'),
  alert: (id: string) => client.get<AlertDetail>(`/alerts/${at(id)}`),
  setAlertState: (id: string, state: AlertState) => client.patch<AlertRow>(`/alerts/${at(id)}`, { state }),
  setAlertStates: (ids: string[], state: AlertState) =>
    client.post<{ changed: number }>('/alerts/bulk', { ids, state }),
  labelAlert: (id: string, verdict: LabelVerdict, extra: { class?: string; comment?: string } = {}) =>
    client.post<Label>(`/alerts/${at(id)}/label`, { verdict, ...extra }),

  incidents: list<Incident>('/incidents'),
  incident: (id: string) => client.get<IncidentDetail>(`/incidents/${at(id)}`),
  patchIncident: (id: string, patch: { state?: IncidentState; owner?: string | null }) =>
    client.patch<Incident>(`/incidents/${at(id)}`, patch),
  commentIncident: (id: string, text: string) => client.post<Comment>(`/incidents/${at(id)}/comments`, { text }),

  decisions: (query: ListQuery & { state?: 'active' | 'all' }, signal?: AbortSignal) =>
    client.get<Page<Decision>>('/decisions', query, signal),
  decision: (id: string) => client.get<DecisionDetail>(`/decisions/${at(id)}`),
  addDecision: (request: DecisionRequest) => client.post<Decision>('/decisions', request),
  extendDecision: (id: string, durationSecs: number) =>
    client.post<Decision>(`/decisions/${at(id)}/extend`, { durationSecs }),
  releaseDecision: (id: string, reason: string) => client.delete<Decision>(`/decisions/${at(id)}`, { reason }),
  allowDecision: (id: string, durationSecs: number, comment: string) =>
    client.post<AllowRelease>(`/decisions/${at(id)}/allow`, { durationSecs, comment }),
  explain: (address: string, port?: number) => client.get<ExplainResponse>('/explain', { address, port }),

  allowlist: list<AllowEntry>('/allowlist'),
  addAllow: (request: AllowRequest) => client.post<AllowEntry>('/allowlist', request),
  removeAllow: (id: string) => client.delete<undefined>(`/allowlist/${at(id)}`),
  protectedSet: list<ProtectedEntry>('/protected'),

  flows: list<StoredFlow>('/flows'),

  policies: list<PolicySummary>('/policies'),
  policy: (name: string) => client.get<PolicyDetail>(`/policies/${at(name)}`),
  validatePolicy: (yaml: string) => client.post<PolicyValidation>('/policies/validate', { yaml }),
  putPolicy: (name: string, yaml: string, comment: string) =>
    client.put<PolicyDetail>(`/policies/${at(name)}`, { yaml, comment }),
  testPolicy: (name: string, alert: string) => client.post<Verdict>(`/policies/${at(name)}/test`, { alert }),
  models: list<ModelInfo>('/models'),
  rules: list<RuleFile>('/rules'),

  siem: list<SiemStatus>('/siem'),
  testSiem: (name: string) => client.post<SiemTestResult>(`/siem/${at(name)}/test`),
  sensors: list<SensorStatus>('/sensors'),
  setCapture: (name: string, running: boolean, interfaces?: string[]) =>
    client.post<SensorStatus>(`/sensors/${at(name)}/capture`, { running, ...(interfaces ? { interfaces } : {}) }),
  doctor: () => client.get<DoctorResult>('/system/doctor'),
  canary: () => client.post<CanaryResult>('/system/canary'),

  users: list<User>('/users'),
  addUser: (name: string, role: Role) => client.post<UserCreated>('/users', { name, role }),
  patchUser: (name: string, patch: { role?: Role; disabled?: boolean }) =>
    client.patch<User>(`/users/${at(name)}`, patch),
  resetPassword: (name: string) => client.post<{ password: string }>(`/users/${at(name)}/reset-password`),
  removeUser: (name: string) => client.delete<undefined>(`/users/${at(name)}`),
  tokens: list<ApiToken>('/tokens'),
  addToken: (name: string, role: Role, expiresInSecs: number) =>
    client.post<TokenCreated>('/tokens', { name, role, expiresInSecs }),
  removeToken: (id: string) => client.delete<undefined>(`/tokens/${at(id)}`),
  sessions: list<Session>('/sessions'),
  removeSession: (id: string) => client.delete<undefined>(`/sessions/${at(id)}`),
  audit: list<AuditEntry>('/audit'),
  checkAudit: () => client.get<AuditCheck>('/audit/check'),
};
