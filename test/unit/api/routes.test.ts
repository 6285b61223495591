import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { OPERATIONS, ROLES, roleAllows, type Operation, type Role } from '../../../src/contract/http.js';
import { assertProblem, startHarness, type Harness } from './harness.js';

/**
 * The permission matrix, written down apart from the code: which role is the least that may call an operation.
 * `session` means everyone who is logged in, `public` everyone.
 */
const MATRIX: Record<keyof typeof OPERATIONS, Role | 'public' | 'session'> = {
  login: 'public', refresh: 'public', logout: 'public',
  changePassword: 'session', me: 'session', startTotp: 'viewer', confirmTotp: 'viewer', disableTotp: 'viewer',
  getStatus: 'viewer', setMode: 'operator', pause: 'operator', resume: 'operator',
  listSiem: 'viewer', testSiem: 'operator', getSiem: 'viewer', listSiemReceipts: 'viewer', listSiemGaps: 'viewer',
  listSiemDeadLetters: 'viewer', replaySiem: 'operator', getSiemReplay: 'viewer', getSiemDeliveries: 'viewer',
  reloadSiem: 'admin', requestResponse: 'operator', listResponseRequests: 'viewer',
  doctor: 'analyst', canary: 'operator',
  listSensors: 'viewer', setCapture: 'operator',
  listAlerts: 'viewer', getAlert: 'viewer', patchAlert: 'analyst', bulkAlerts: 'analyst', labelAlert: 'analyst',
  listIncidents: 'viewer', getIncident: 'viewer', listIncidentActivity: 'viewer', patchIncident: 'analyst', commentIncident: 'analyst',
  listDecisions: 'viewer', getDecision: 'viewer', addDecision: 'operator', extendDecision: 'operator',
  releaseDecision: 'operator', allowDecision: 'operator', checkAllow: 'viewer',
  explainPolicies: 'analyst', diffPolicy: 'viewer', rollbackPolicy: 'operator', deletePolicy: 'operator',
  listChanges: 'viewer', confirmChange: 'operator', revertChange: 'operator',
  getInline: 'viewer', setInlineMode: 'operator', listInlineDrops: 'viewer',
  startBacktest: 'analyst', listBacktests: 'analyst', getBacktest: 'analyst', cancelBacktest: 'analyst',
  listAllowlist: 'viewer', addAllow: 'operator', removeAllow: 'operator', listProtected: 'viewer', explain: 'viewer',
  listFlows: 'viewer', statsOverview: 'viewer',
  listIntelFeeds: 'viewer', refreshIntel: 'operator', lookupIntel: 'viewer',
  listBaselines: 'viewer', getBaseline: 'viewer', forgetBaseline: 'operator',
  listPolicies: 'viewer', getPolicy: 'viewer', validatePolicy: 'analyst', putPolicy: 'operator', testPolicy: 'analyst',
  listModels: 'viewer', getModel: 'viewer', getModelVersion: 'viewer', promoteModel: 'operator', rollbackModel: 'operator',
  explainAlert: 'viewer', getDrift: 'viewer', getTraining: 'viewer', listTrainingRuns: 'viewer', getTrainingRun: 'viewer', startTraining: 'operator',
  cancelTraining: 'operator', dismissChallenger: 'operator', getLabelQueue: 'viewer', labelFlowSample: 'analyst',
  listRules: 'viewer', listRuleFiles: 'viewer', listRuleSources: 'viewer', getRuleUpdate: 'viewer',
  updateRules: 'operator', reloadRules: 'operator', checkRules: 'analyst', getRule: 'viewer', setRuleState: 'operator',
  listUsers: 'admin', addUser: 'admin', patchUser: 'admin', resetPassword: 'admin', removeUser: 'admin',
  listTokens: 'viewer', addToken: 'viewer', removeToken: 'viewer', listSessions: 'viewer', removeSession: 'viewer',
  listAudit: 'admin', checkAudit: 'admin', exportAudit: 'admin',
  bulkIncidents: 'analyst', bulkLabelAlerts: 'analyst', exportList: 'analyst',
  listViews: 'viewer', addView: 'viewer', putView: 'viewer', removeView: 'viewer',
  listCaptures: 'viewer', uploadCapture: 'analyst', getCapture: 'viewer', removeCapture: 'analyst', downloadCapture: 'analyst',
  listPackets: 'analyst', getPacket: 'analyst', listJobs: 'viewer', addJob: 'analyst', getJob: 'viewer', removeJob: 'analyst',
  listJobAlerts: 'viewer', listJobBlocks: 'viewer', getPolicySchema: 'viewer',
  startPasskeyLogin: 'public', passkeyLogin: 'public', listPasskeys: 'viewer', startPasskey: 'viewer', addPasskey: 'viewer',
  removePasskey: 'viewer', listHosts: 'viewer', getHost: 'viewer', listSettings: 'operator', patchSettings: 'admin', getSetup: 'operator', putSetup: 'admin',
  listAlertPackets: 'analyst', getAlertPacket: 'analyst', downloadAlertPcap: 'analyst', downloadAlertBundle: 'analyst',
  downloadIncidentBundle: 'analyst', injectPackets: 'operator', releaseDecisions: 'operator', importDecisions: 'operator',
  listBackups: 'admin', addBackup: 'admin', downloadBackup: 'admin', removeBackup: 'admin', checkBackup: 'admin', getRuleset: 'analyst', getFleet: 'viewer',
  getAddressFacts: 'viewer', listSuppressions: 'viewer', addSuppression: 'operator', removeSuppression: 'operator',
}; // prettier-ignore

const all = Object.entries(OPERATIONS) as [keyof typeof OPERATIONS, Operation][];
const concrete = (path: string): string =>
  path
    .replace(':gid', '1')
    .replace(':sid', '2')
    .replace(':id', randomUUID())
    .replace(':name', 'nothing')
    .replace(':number', '1')
    .replace(':list', 'alerts')
    .replace(':address', '192.0.2.1')
    .replace(':host', '192.0.2.9');

describe('every route', () => {
  let h: Harness;
  const tokens = {} as Record<Role, string>;
  before(async () => {
    h = await startHarness();
    for (const role of ROLES) {
      await h.addUser(`a-${role}`, role);
      tokens[role] = (await h.login(`a-${role}`)).token;
    }
  });
  after(() => h.close());

  const call = (operation: Operation, token?: string) =>
    h.call(operation.method.toUpperCase(), concrete(operation.path), {
      token,
      body: operation.method === 'get' ? undefined : {},
    });

  it('has the access that the matrix says', () => {
    assert.deepEqual(Object.fromEntries(all.map(([id, operation]) => [id, operation.access])), MATRIX);
  });

  it('refuses whoever has no token, a wrong one, or too low a role, before it looks at the request', async () => {
    let refused = 0;
    for (const [id, operation] of all) {
      const needed = MATRIX[id];
      if (needed === 'public') continue;
      const without = await call(operation);
      assert.equal(without.status, 401, `${id} without a token`);
      assert.equal((await call(operation, 'eyJhbGciOiJub25lIn0.e30.')).status, 401, `${id} with a wrong token`);
      for (const role of ROLES) {
        const answer = await call(operation, tokens[role]);
        const allowed = needed === 'session' || roleAllows(role, needed);
        if (allowed) assert.notEqual(answer.status, 403, `${id} as ${role}: ${answer.text}`);
        else {
          refused++;
          assert.equal(answer.status, 403, `${id} as ${role}: ${answer.text}`);
        }
        assert.ok(answer.status < 500, `${id} as ${role}: ${answer.text}`);
        if (id === 'disableTotp' || id === 'changePassword') continue;
        assert.notEqual(answer.status, 401, `${id} as ${role}: ${answer.text}`);
      }
    }
    assert.ok(refused > 40, String(refused));
  });

  it('answers a method that is not there with a problem that names those that are', async () => {
    const answer = await h.call('PATCH', '/status', { token: tokens.admin, body: {} });
    const problem = assertProblem(answer, 405, 'request.method');
    assert.match(problem.fix ?? '', /GET/);
    assert.match(answer.headers.get('allow') ?? '', /GET/);
  });

  it('answers only to the methods of the contract', async () => {
    for (const path of new Set(all.map(([, operation]) => operation.path))) {
      const methods = all.filter(([, operation]) => operation.path === path).map(([, operation]) => operation.method);
      for (const method of ['get', 'post', 'put', 'patch', 'delete'] as const) {
        if (methods.includes(method)) continue;
        const answer = await h.call(method.toUpperCase(), concrete(path), { token: tokens.admin });
        // 400: another path of that method fits, with `bulk` or `check` as an id that is none.
        assert.ok([400, 404, 405].includes(answer.status), `${method} ${path}: ${answer.status} ${answer.text}`);
      }
    }
  });
});
