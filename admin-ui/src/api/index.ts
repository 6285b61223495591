import { createApiClient } from './client';
import { inParts } from './in-parts';
import type {
  AlertDetail,
  AlertRow,
  AlertState,
  AllowCheck,
  AllowEntry,
  AllowRelease,
  AllowRequest,
  ApiToken,
  AuditCheck,
  AuditEntry,
  CanaryResult,
  ChangeOutcome,
  Comment,
  Decision,
  DecisionDetail,
  DecisionRequest,
  DoctorResult,
  ExplainResponse,
  Incident,
  IncidentActivity,
  IncidentDetail,
  IncidentPatch,
  Label,
  LabelVerdict,
  MeResponse,
  Mode,
  Overview,
  Page,
  PendingChange,
  ProtectedEntry,
  Role,
  SensorStatus,
  Session,
  SessionUser,
  SiemStatus,
  SiemTestResult,
  Status,
  StoredFlow,
  TokenCreated,
  TokenScope,
  TotpStartResponse,
  User,
  UserCreated,
} from './types';

export const client = createApiClient<SessionUser>();

export type ListQuery = { limit?: number | undefined; cursor?: string | undefined; q?: string | undefined };
export const at = (text: string): string => encodeURIComponent(text);
/** A list of the contract: paged, searchable. */
export const list =
  <T>(path: string) =>
  (query?: ListQuery, signal?: AbortSignal): Promise<Page<T>> =>
    client.get<Page<T>>(path, query, signal);

/** One function for each operation that the shell and the first screens need; the other screens have files of their own. */
export const api = {
  me: () => client.get<MeResponse>('/auth/me'),
  changePassword: (current: string, next: string) =>
    client.post<Awaited<ReturnType<typeof client.login>>>('/auth/password', { current, next }),
  startTotp: () => client.post<TotpStartResponse>('/auth/totp'),
  confirmTotp: (code: string) => client.post<{ recoveryCodes: string[] }>('/auth/totp/confirm', { code }),
  disableTotp: (password: string) => client.delete<undefined>('/auth/totp', { password }),

  status: () => client.get<Status>('/status'),
  setMode: (mode: Mode, confirmSecs?: number) => client.put<Status>('/mode', { mode, confirmSecs }),
  pause: (secs: number) => client.post<Status>('/pause', { secs }),
  resume: () => client.delete<Status>('/pause'),
  overview: (minutes: number) => client.get<Overview>('/stats/overview', { minutes }),

  alerts: list<AlertRow>('/alerts'),
  alert: (id: string) => client.get<AlertDetail>(`/alerts/${at(id)}`),
  setAlertState: (id: string, state: AlertState) => client.patch<AlertRow>(`/alerts/${at(id)}`, { state }),
  setAlertStates: (ids: string[], state: AlertState) =>
    inParts(ids, 500, (part) => client.post<{ changed: number }>('/alerts/bulk', { ids: part, state })),
  labelAlert: (id: string, verdict: LabelVerdict, extra: { class?: string; comment?: string } = {}) =>
    client.post<Label>(`/alerts/${at(id)}/label`, { verdict, ...extra }),
  /** @returns how many it took. */
  async labelAlerts(ids: string[], verdict: LabelVerdict): Promise<number> {
    const answers = await inParts(ids, 200, (part) =>
      client.post<{ changed: number }>('/alerts/bulk-label', { ids: part, verdict }),
    );
    return answers.reduce((sum, { changed }) => sum + changed, 0);
  },

  incidents: list<Incident>('/incidents'),
  incidentActivity: (ids: string[]) => client.post<IncidentActivity>('/incidents/activity', { ids }),
  incident: (id: string) => client.get<IncidentDetail>(`/incidents/${at(id)}`),
  /** `expect`: what was seen; refused with incident.conflict when it is no longer so. */
  patchIncident: (id: string, patch: IncidentPatch & { expect: IncidentPatch }) =>
    client.patch<Incident>(`/incidents/${at(id)}`, patch),
  patchIncidents: (ids: string[], patch: IncidentPatch) =>
    inParts(ids, 500, (part) => client.post<{ changed: number }>('/incidents/bulk', { ids: part, ...patch })),
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
  explain: (address: string, port?: number, proto?: number) =>
    client.get<ExplainResponse>('/explain', { address, port, proto }),

  allowlist: list<AllowEntry>('/allowlist'),
  addAllow: (request: AllowRequest) => client.post<AllowEntry>('/allowlist', request),
  checkAllow: (value: string) => client.get<AllowCheck>('/allowlist/check', { value }),
  removeAllow: (id: string) => client.delete<undefined>(`/allowlist/${at(id)}`),
  protectedSet: list<ProtectedEntry>('/protected'),

  flows: list<StoredFlow>('/flows'),

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
  addToken: (name: string, role: Role, scope: TokenScope, expiresInSecs: number) =>
    client.post<TokenCreated>('/tokens', { name, role, scope, expiresInSecs }),
  removeToken: (id: string) => client.delete<undefined>(`/tokens/${at(id)}`),
  sessions: list<Session>('/sessions'),
  removeSession: (id: string) => client.delete<undefined>(`/sessions/${at(id)}`),
  changes: () => client.get<Page<PendingChange>>('/changes'),
  confirmChange: (id: string) => client.post<ChangeOutcome>(`/changes/${at(id)}/confirm`),
  revertChange: (id: string) => client.post<ChangeOutcome>(`/changes/${at(id)}/revert`),
  audit: list<AuditEntry>('/audit'),
  checkAudit: () => client.get<AuditCheck>('/audit/check'),
};
