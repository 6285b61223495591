/**
 * Mock API server: answers the HTTP contract with made-up data. For developing the console and for its own
 * browser smoke test only; the product never starts it, and nothing it answers says anything about the product.
 *
 *   npx tsx admin-ui/test/support/mock-server.ts [port] [observe|suggest|enforce]
 */
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocketServer, type WebSocket } from 'ws';
import type { AlertRow, Fleet, InlineStatus, Status } from '../../../src/contract/http.js';
import { makeFleet } from './mock-fleet.js';
import { makeDrops, makeInline } from './mock-inline.js';
import { MORE } from './mock-more.js';
import {
  makeDecision,
  makeOverview,
  makePoint,
  makeVerdict,
  makeWorld,
  newAlert,
  nextId,
  POLICY_YAML,
  type Decision,
} from './mock-data.js';

/** The policy the console must live under: no inline script, no inline style. */
export const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; " +
  "base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

export interface MockOptions {
  port?: number;
  mode?: Status['mode'];
  /** Sends a new alert every few seconds. */
  lively?: boolean;
  /** How long the kernel takes to answer, so that the pending state can be seen. */
  kernelMs?: number;
  role?: 'viewer' | 'analyst' | 'operator' | 'admin';
  /** What the fleet is, instead of the usual one. */
  fleet?: () => Fleet;
  /** How inline verdicts are, instead of on. */
  inline?: InlineStatus;
  /** Folder of the built console. */
  dist?: string;
  /** Paths below /api/v1 that answer 501, as a server without that part does. */
  missing?: RegExp;
}

const DEFAULT_DIST = fileURLToPath(new URL('../../../dist/admin-ui/', import.meta.url));
const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

export async function startMockServer(options: MockOptions = {}) {
  const dist = options.dist ?? DEFAULT_DIST;
  const world = makeWorld(Date.now(), options.mode ?? 'enforce');
  const user = { name: 'admin', role: options.role ?? 'admin', mustChangePassword: false };
  const sockets = new Set<WebSocket>();
  const comments: { id: string; incidentId: string; user: string; text: string; createdMs: number }[] = [
    {
      id: nextId(),
      incidentId: world.incidents[0]?.id ?? '',
      user: 'anna',
      text: 'Same scanner as last week. <b>Not bold</b>.',
      createdMs: Date.now() - 90_000,
    },
  ];
  const allow = [
    {
      id: nextId(),
      value: '192.0.2.200',
      owner: 'anna',
      comment: 'Vulnerability scanner of the auditors',
      createdMs: Date.now() - 86_400_000,
      expiresMs: Date.now() + 5 * 86_400_000,
    },
    {
      id: nextId(),
      value: 'monitor.example.net',
      owner: 'admin',
      comment: 'Uptime checks',
      createdMs: Date.now() - 9e8,
      expiresMs: 0,
    },
  ];
  const inline = options.inline ?? makeInline(Date.now());
  let seq = 100;

  function publish(topic: string, type: string, data: unknown): void {
    seq += 1;
    for (const socket of sockets) socket.send(JSON.stringify({ seq, topic, type, data }));
  }
  function recount(): void {
    const active = world.decisions.filter((d) => d.enforcement === 'applied');
    const real = active.filter((d) => !d.simulated).length;
    const wanted = world.decisions.filter(
      (d) => !d.simulated && (d.enforcement === 'applied' || d.enforcement === 'pending'),
    ).length;
    world.status.decisions = { active: real, simulated: active.length - real };
    if (world.status.mode === 'enforce') Object.assign(world.status.responder, { enforced: real, desired: wanted });
    publish('status', 'updated', world.status);
  }
  function settle(decision: Decision, enforcement: Decision['enforcement']): void {
    setTimeout(() => {
      decision.enforcement = enforcement;
      publish('decisions', 'updated', decision);
      recount();
    }, options.kernelMs ?? 400);
  }

  type Handler = (request: { params: string[]; query: URLSearchParams; body: Record<string, unknown> }) => unknown;
  const problem = (status: number, code: string, detail: string) => ({
    problem: { type: 'about:blank', title: code, status, code, detail },
  });
  const find = <T extends { id: string }>(items: T[], id: string | undefined): T | undefined =>
    items.find((i) => i.id === id);

  function pageOf<T>(items: T[], query: URLSearchParams): { items: T[]; nextCursor: string | null } {
    const limit = Number(query.get('limit') ?? 50);
    const from = Number(query.get('cursor') ?? 0);
    return {
      items: items.slice(from, from + limit),
      nextCursor: from + limit < items.length ? String(from + limit) : null,
    };
  }
  /** Enough of the search language for the screens: `is:x`, `-is:x`, `ip:x`, free text. */
  function search<T>(items: T[], q: string | null, is: (item: T) => string[]): T[] {
    return (q ?? '')
      .split(/\s+/)
      .filter(Boolean)
      .reduce((left, term) => {
        const no = term.startsWith('-');
        const text = no ? term.slice(1) : term;
        const hit = (item: T): boolean =>
          text.startsWith('is:')
            ? is(item).includes(text.slice(3))
            : JSON.stringify(item)
                .toLowerCase()
                .includes(text.replace(/^[a-z]+:/, '').toLowerCase());
        return left.filter((item) => hit(item) !== no);
      }, items);
  }
  const alertStates = (a: AlertRow): string[] => [a.state, ...(a.response === 'blocked' ? ['blocked'] : [])];

  const routes: [string, RegExp, Handler][] = [
    [
      'POST',
      /^\/auth\/login$/,
      ({ body }) => {
        if (body['password'] !== 'correct horse battery')
          return problem(401, 'auth.invalid', 'Wrong user name or password.');
        if (body['username'] === 'totp' && body['totp'] !== '123456')
          return problem(401, 'auth.totp_required', 'A code is needed.');
        return {
          accessToken: 'mock',
          expiresInSecs: 600,
          user: { ...user, mustChangePassword: body['username'] === 'first' },
        };
      },
    ],
    ['POST', /^\/auth\/refresh$/, () => ({ accessToken: 'mock', expiresInSecs: 600, user })],
    ['POST', /^\/auth\/logout$/, () => undefined],
    ['POST', /^\/auth\/password$/, () => ({ accessToken: 'mock', expiresInSecs: 600, user })],
    [
      'GET',
      /^\/auth\/me$/,
      () => ({ ...user, totpEnabled: false, recoveryCodesLeft: 0, lastLoginMs: Date.now() - 40_000_000 }),
    ],
    [
      'POST',
      /^\/auth\/totp$/,
      () => ({
        secret: 'JBSWY3DPEHPK3PXP',
        uri: 'otpauth://totp/Portcullis:admin?secret=JBSWY3DPEHPK3PXP&issuer=Portcullis',
      }),
    ],
    [
      'POST',
      /^\/auth\/totp\/confirm$/,
      () => ({ recoveryCodes: ['k3f9-22ab', 'p0qx-81cd', 'zz4m-77ef', 'h2w8-09gh'] }),
    ],
    ['GET', /^\/status$/, () => world.status],
    [
      'PUT',
      /^\/mode$/,
      ({ body }) => {
        world.status.mode = body['mode'] as Status['mode'];
        recount();
        return world.status;
      },
    ],
    [
      'POST',
      /^\/pause$/,
      ({ body }) => {
        world.status.paused = { untilMs: Date.now() + Number(body['secs']) * 1000 };
        return world.status;
      },
    ],
    [
      'DELETE',
      /^\/pause$/,
      () => {
        world.status.paused = null;
        return world.status;
      },
    ],
    ['GET', /^\/stats\/overview$/, ({ query }) => makeOverview(world, Number(query.get('minutes') ?? 60))],
    ['GET', /^\/alerts$/, ({ query }) => pageOf(search(world.alerts, query.get('q'), alertStates), query)],
    [
      'GET',
      /^\/alerts\/([^/]+)$/,
      ({ params }) => {
        const alert = find(world.alerts, params[0]);
        if (!alert) return problem(404, 'alert.not_found', 'No such alert.');
        return {
          alert,
          incident: find(world.incidents, alert.incidentId) ?? null,
          decisions: world.decisions.filter((d) => d.alertIds.includes(alert.id)),
          verdict: makeVerdict(alert, world.status.mode),
          labels: [],
        };
      },
    ],
    ['PATCH', /^\/alerts\/([^/]+)$/, ({ params, body }) => Object.assign(find(world.alerts, params[0]) ?? {}, body)],
    [
      'POST',
      /^\/alerts\/bulk$/,
      ({ body }) => {
        const ids = body['ids'] as string[];
        for (const id of ids) Object.assign(find(world.alerts, id) ?? {}, { state: body['state'] });
        return { changed: ids.length };
      },
    ],
    [
      'POST',
      /^\/alerts\/([^/]+)\/label$/,
      ({ params, body }) => {
        const alert = find(world.alerts, params[0]);
        if (alert) alert.labelVerdict = body['verdict'] as NonNullable<AlertRow['labelVerdict']>;
        return { id: nextId(), alertId: params[0], user: user.name, createdMs: Date.now(), ...body };
      },
    ],
    [
      'GET',
      /^\/incidents$/,
      ({ query }) =>
        pageOf(
          search(world.incidents, query.get('q'), (i) => [i.state]),
          query,
        ),
    ],
    [
      'GET',
      /^\/incidents\/([^/]+)$/,
      ({ params }) => {
        const incident = find(world.incidents, params[0]);
        if (!incident) return problem(404, 'incident.not_found', 'No such incident.');
        return {
          incident,
          alerts: world.alerts
            .filter((a) => a.incidentId === incident.id || a.offender === incident.offender)
            .slice(0, 20),
          decisions: world.decisions.filter((d) => d.value === incident.offender).slice(0, 6),
          comments: comments.filter((c) => c.incidentId === incident.id),
        };
      },
    ],
    [
      'POST',
      /^\/incidents\/bulk$/,
      ({ body }) => {
        const { ids, ...patch } = body as { ids: string[] };
        for (const id of ids) Object.assign(find(world.incidents, id) ?? {}, patch);
        return { changed: ids.length };
      },
    ],
    [
      'POST',
      /^\/alerts\/bulk-label$/,
      ({ body }) => {
        const ids = body['ids'] as string[];
        for (const id of ids) Object.assign(find(world.alerts, id) ?? {}, { labelVerdict: body['verdict'] });
        return { changed: ids.length };
      },
    ],
    [
      'PATCH',
      /^\/incidents\/([^/]+)$/,
      ({ params, body }) => {
        const incident = find(world.incidents, params[0]);
        if (incident) publish('incidents', 'updated', Object.assign(incident, body));
        return incident;
      },
    ],
    [
      'POST',
      /^\/incidents\/([^/]+)\/comments$/,
      ({ params, body }) => {
        const comment = {
          id: nextId(),
          incidentId: params[0] ?? '',
          user: user.name,
          text: String(body['text']),
          createdMs: Date.now(),
        };
        comments.push(comment);
        return comment;
      },
    ],
    [
      'GET',
      /^\/decisions$/,
      ({ query }) => {
        const state = query.get('state') ?? 'active';
        const items = world.decisions.filter(
          (d) => state === 'all' || d.enforcement === 'applied' || d.enforcement === 'pending',
        );
        return pageOf(
          search(items, query.get('q'), (d) => [d.enforcement, ...(d.simulated ? ['simulated'] : [])]).sort(
            (a, b) => b.createdMs - a.createdMs,
          ),
          query,
        );
      },
    ],
    [
      'GET',
      /^\/decisions\/([^/]+)$/,
      ({ params }) => {
        const decision = find(world.decisions, params[0]);
        if (!decision) return problem(404, 'decision.not_found', 'No such decision.');
        return {
          decision,
          history: [
            { atMs: decision.createdMs, op: 'created', actor: decision.actor, reason: decision.reason },
            { atMs: decision.createdMs + 2, op: 'applied', actor: 'responder', reason: decision.set ?? '' },
          ],
          alerts: world.alerts.filter((a) => decision.alertIds.includes(a.id)),
        };
      },
    ],
    [
      'POST',
      /^\/decisions$/,
      ({ body }) => {
        const value = String(body['value']);
        if (value === '192.0.2.1') return problem(409, 'decision.protected', '192.0.2.1 is protected: gateway.');
        const decision = makeDecision(value, {
          ...(body as Partial<Decision>),
          origin: 'operator',
          actor: user.name,
          createdMs: Date.now(),
          enforcement: 'pending',
          simulated: world.status.mode === 'observe',
          mode: world.status.mode,
          trace: { packetUs: 0, detectedUs: 0, alertUs: 0, decidedUs: Date.now() * 1000, receivedUs: 0, kernelUs: 0 },
        });
        delete decision.policy;
        world.decisions.unshift(decision);
        publish('decisions', 'created', decision);
        recount();
        settle(decision, 'applied');
        return { ...decision };
      },
    ],
    [
      'POST',
      /^\/decisions\/([^/]+)\/extend$/,
      ({ params, body }) => {
        const decision = find(world.decisions, params[0]);
        if (decision) Object.assign(decision, { expiresMs: Date.now() + Number(body['durationSecs']) * 1000 });
        publish('decisions', 'updated', decision);
        return decision;
      },
    ],
    [
      'DELETE',
      /^\/decisions\/([^/]+)$/,
      ({ params }) => {
        const decision = find(world.decisions, params[0]);
        if (!decision) return problem(404, 'decision.not_found', 'No such decision.');
        settle(decision, 'revoked');
        return { ...decision };
      },
    ],
    [
      'POST',
      /^\/decisions\/([^/]+)\/allow$/,
      ({ params, body }) => {
        const decision = find(world.decisions, params[0]);
        if (!decision) return problem(404, 'decision.not_found', 'No such decision.');
        settle(decision, 'revoked');
        const entry = {
          id: nextId(),
          value: decision.value,
          owner: user.name,
          comment: String(body['comment']),
          createdMs: Date.now(),
          expiresMs: Date.now() + Number(body['durationSecs']) * 1000,
        };
        allow.push(entry);
        return { decision: { ...decision }, allow: entry };
      },
    ],
    [
      'GET',
      /^\/explain$/,
      ({ query }) => {
        const address = query.get('address') ?? '';
        const decisions = world.decisions.filter(
          (d) => d.value === address && (d.enforcement === 'applied' || d.enforcement === 'pending'),
        );
        const lastAlerts = world.alerts.filter((a) => a.offender === address).slice(0, 5);
        const real = decisions.find((d) => !d.simulated && d.enforcement === 'applied');
        return {
          address,
          blocked: real !== undefined,
          allowed: allow.find((a) => a.value === address) ?? null,
          protected:
            address === '192.0.2.1' ? { value: '192.0.2.1', reason: 'gateway', detail: 'default route of eth0' } : null,
          decisions,
          lastAlerts,
          verdicts: lastAlerts.slice(0, 2).map((a) => makeVerdict(a, world.status.mode)),
          text: real
            ? [`${address} is blocked by policy scans: every packet from it is dropped.`, 'The block ends by itself.']
            : [`Nothing blocks ${address}.`],
        };
      },
    ],
    ['GET', /^\/allowlist$/, ({ query }) => pageOf(allow, query)],
    [
      'POST',
      /^\/allowlist$/,
      ({ body }) => {
        const secs = Number(body['durationSecs'] ?? 0);
        const entry = {
          id: nextId(),
          value: String(body['value']),
          owner: user.name,
          comment: String(body['comment']),
          createdMs: Date.now(),
          expiresMs: secs ? Date.now() + secs * 1000 : 0,
        };
        allow.push(entry);
        return entry;
      },
    ],
    [
      'DELETE',
      /^\/allowlist\/([^/]+)$/,
      ({ params }) => {
        const index = allow.findIndex((a) => a.id === params[0]);
        if (index >= 0) allow.splice(index, 1);
        return undefined;
      },
    ],
    [
      'GET',
      /^\/protected$/,
      ({ query }) =>
        pageOf(
          [
            { value: '192.0.2.1', reason: 'gateway', detail: 'default route of eth0' },
            { value: '192.0.2.2', reason: 'own_address', detail: 'eth0' },
            { value: '192.0.2.53', reason: 'resolver', detail: '/etc/resolv.conf' },
            { value: '10.0.0.20', reason: 'siem', detail: 'destination splunk' },
            { value: '198.51.100.4', reason: 'console_session', detail: 'session of admin' },
            { value: '127.0.0.0/8', reason: 'loopback', detail: 'lo' },
          ],
          query,
        ),
    ],
    [
      'GET',
      /^\/flows$/,
      ({ query }) =>
        pageOf(
          search(world.flows, query.get('q'), () => []),
          query,
        ),
    ],
    ['GET', /^\/policies$/, ({ query }) => pageOf(policies, query)],
    [
      'GET',
      /^\/policies\/([^/]+)$/,
      ({ params }) => {
        const policy = policies.find((p) => p.name === params[0]);
        if (!policy) return problem(404, 'policy.not_found', 'No such policy.');
        return {
          ...policy,
          yaml: yaml.get(policy.name) ?? POLICY_YAML,
          versions: [
            {
              version: policy.version,
              yaml: yaml.get(policy.name) ?? POLICY_YAML,
              actor: 'anna',
              comment: 'Longer second step',
              createdMs: policy.updatedMs,
            },
            {
              version: policy.version - 1,
              yaml: POLICY_YAML.replace('24h', '6h'),
              actor: 'admin',
              comment: 'First version',
              createdMs: policy.updatedMs - 9e7,
            },
          ],
        };
      },
    ],
    [
      'POST',
      /^\/policies\/validate$/,
      ({ body }) => {
        const lines = String(body['yaml']).split('\n');
        const bad = lines.findIndex((l) => /^\s*(action):\s*(ban)\b/.test(l));
        if (bad < 0) return { ok: true, problems: [] };
        return {
          ok: false,
          problems: [
            { path: 'respond.1.action', message: 'expected one of watch, rate_limit, block', line: bad + 1, column: 5 },
          ],
        };
      },
    ],
    [
      'PUT',
      /^\/policies\/([^/]+)$/,
      ({ params, body }) => {
        const policy = policies.find((p) => p.name === params[0]);
        if (!policy) return problem(404, 'policy.not_found', 'No such policy.');
        policy.version += 1;
        yaml.set(policy.name, String(body['yaml']));
        return { ...policy, yaml: body['yaml'], versions: [] };
      },
    ],
    [
      'POST',
      /^\/policies\/([^/]+)\/test$/,
      ({ body }) => {
        const alert = find(world.alerts, String(body['alert']));
        return alert ? makeVerdict(alert, world.status.mode) : problem(404, 'alert.not_found', 'No such alert.');
      },
    ],
    [
      'GET',
      /^\/models$/,
      ({ query }) =>
        pageOf(
          [
            {
              name: 'lab-forest',
              version: '9f2c41d07be35a18',
              state: 'champion',
              kind: 'classification',
              algorithm: 'random-forest',
              featureSchema: 'flow v1',
              classes: ['benign', 'port_scan', 'brute_force', 'dos'],
              threshold: 0.62,
              trainedMs: Date.now() - 2 * 86_400_000,
              trainingRows: 184_221,
              sha256: '9f2c41d07be35a18'.repeat(4),
              metrics: { precision: 0.991, recall: 0.964, falsePositiveRate: 0.0008, rocAuc: 0.998, rows: 46_055 },
            },
            {
              name: 'baseline-forest',
              version: '11aa22bb33cc44dd',
              state: 'challenger',
              kind: 'anomaly',
              algorithm: 'isolation-forest',
              featureSchema: 'flow v1',
              classes: ['benign', 'anomaly'],
              threshold: 0.71,
              trainedMs: Date.now() - 86_400_000,
              trainingRows: 90_112,
              sha256: '11aa22bb33cc44dd'.repeat(4),
              metrics: { recallAtBudget: 0.71, falsePositiveRate: 0.001 },
            },
          ],
          query,
        ),
    ],
    ['GET', /^\/fleet$/, () => options.fleet?.() ?? makeFleet(Date.now())],
    ['GET', /^\/inline$/, () => inline],
    [
      'PUT',
      /^\/inline\/mode$/,
      ({ body }) => {
        const mode = body['mode'] as InlineStatus['mode'];
        return Object.assign(inline, makeInline(Date.now(), mode));
      },
    ],
    ['GET', /^\/inline\/drops$/, ({ query }) => pageOf(makeDrops(Date.now()), query)],
    ['GET', /^\/siem$/, ({ query }) => pageOf(world.status.siem, query)],
    [
      'POST',
      /^\/siem\/([^/]+)\/test$/,
      ({ params }) =>
        params[0] === 'splunk'
          ? { ok: true, sent: '<134>1 2026-11-21T14:00:00Z box portcullis - - - CEF:0|...', answer: '' }
          : { ok: false, sent: '', answer: 'connect ECONNREFUSED 10.0.0.21:9200' },
    ],
    ['GET', /^\/sensors$/, ({ query }) => pageOf(world.status.sensors, query)],
    [
      'POST',
      /^\/sensors\/([^/]+)\/capture$/,
      ({ params, body }) => {
        const sensor = world.status.sensors.find((s) => s.name === params[0]);
        if (sensor)
          Object.assign(
            sensor,
            { running: body['running'], packetRate: body['running'] ? 900 : 0 },
            body['interfaces'] ? { interfaces: body['interfaces'] } : {},
          );
        return sensor;
      },
    ],
    [
      'GET',
      /^\/system\/doctor$/,
      () => ({
        ok: false,
        checks: [
          {
            name: 'ruleset.order',
            status: 'ok',
            message: 'Chain screen runs at prerouting -300, before every accept.',
          },
          {
            name: 'ruleset.foreign',
            status: 'warning',
            message: 'Table ip docker has an interval set of 12,000 elements: each nft change takes 25 ms.',
            fix: 'Use the netlink backend, or make that set plain.',
          },
          { name: 'clock', status: 'ok', message: 'The clock is synchronised, offset 0.4 ms.' },
          {
            name: 'siem.elastic',
            status: 'failed',
            message: 'elastic does not answer: connection refused.',
            fix: 'Start Elasticsearch on 10.0.0.21 or correct forward.destinations.elastic.url.',
          },
          { name: 'models', status: 'skipped', message: 'No challenger to compare.' },
        ],
      }),
    ],
    [
      'POST',
      /^\/system\/canary$/,
      () => ({
        ok: true,
        steps: [
          { name: 'Block a canary address', ok: true, ms: 1.4, message: '198.18.0.77 in set block4' },
          { name: 'Send three packets', ok: true, ms: 12, message: 'none came through' },
          { name: 'Release it', ok: true, ms: 0.9, message: 'packets pass again' },
        ],
      }),
    ],
    [
      'GET',
      /^\/users$/,
      ({ query }) =>
        pageOf(
          [
            {
              name: 'admin',
              role: 'admin',
              disabled: false,
              mustChangePassword: false,
              totpEnabled: true,
              createdMs: Date.now() - 9e9,
              lastLoginMs: Date.now() - 4e6,
              lockedUntilMs: null,
            },
            {
              name: 'anna',
              role: 'operator',
              disabled: false,
              mustChangePassword: false,
              totpEnabled: false,
              createdMs: Date.now() - 8e9,
              lastLoginMs: Date.now() - 9e7,
              lockedUntilMs: null,
            },
            {
              name: 'soc',
              role: 'viewer',
              disabled: true,
              mustChangePassword: true,
              totpEnabled: false,
              createdMs: Date.now() - 7e9,
              lastLoginMs: null,
              lockedUntilMs: null,
            },
          ],
          query,
        ),
    ],
    [
      'POST',
      /^\/users$/,
      ({ body }) => ({
        user: {
          ...body,
          disabled: false,
          mustChangePassword: true,
          totpEnabled: false,
          createdMs: Date.now(),
          lastLoginMs: null,
          lockedUntilMs: null,
        },
        password: 'maple-Quiet-41-lantern',
      }),
    ],
    ['POST', /^\/users\/([^/]+)\/reset-password$/, () => ({ password: 'maple-Quiet-41-lantern' })],
    [
      'GET',
      /^\/tokens$/,
      ({ query }) =>
        pageOf(
          [
            {
              id: nextId(),
              name: 'grafana',
              role: 'viewer',
              owner: 'admin',
              createdMs: Date.now() - 9e8,
              expiresMs: Date.now() + 2e9,
              lastUsedMs: Date.now() - 60_000,
            },
          ],
          query,
        ),
    ],
    [
      'POST',
      /^\/tokens$/,
      ({ body }) => ({
        token: {
          id: nextId(),
          owner: 'admin',
          createdMs: Date.now(),
          expiresMs: Date.now() + 1e9,
          lastUsedMs: null,
          ...body,
        },
        secret: 'pct_2f9d1c5f0a',
      }),
    ],
    [
      'GET',
      /^\/sessions$/,
      ({ query }) =>
        pageOf(
          [
            {
              id: nextId(),
              user: 'admin',
              address: '203.0.113.7',
              userAgent: 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0',
              createdMs: Date.now() - 4e6,
              lastUsedMs: Date.now() - 2000,
              expiresMs: Date.now() + 9e7,
              current: true,
            },
            {
              id: nextId(),
              user: 'anna',
              address: '198.51.100.9',
              userAgent: 'Mozilla/5.0 (iPhone) Safari',
              createdMs: Date.now() - 9e7,
              lastUsedMs: Date.now() - 8e6,
              expiresMs: Date.now() + 9e7,
              current: false,
            },
          ],
          query,
        ),
    ],
    [
      'GET',
      /^\/audit$/,
      ({ query }) =>
        pageOf(
          Array.from({ length: 70 }, (_, i) => ({
            seq: 5000 - i,
            atMs: Date.now() - i * 400_000,
            actor: i % 3 ? 'anna' : 'admin',
            address: '198.51.100.9',
            action: ['decision.add', 'decision.release', 'mode.set', 'policy.put'][i % 4],
            object: ['203.0.113.7', 'scans'][i % 2],
            outcome: i % 9 === 4 ? 'failure' : 'success',
            reason: i % 4 === 1 ? 'False alarm' : '',
            before: i % 4 === 2 ? { mode: 'observe' } : null,
            after: i % 4 === 2 ? { mode: 'enforce' } : null,
            hash: 'ab'.repeat(32),
          })),
          query,
        ),
    ],
    ['GET', /^\/audit\/check$/, () => ({ ok: true, checked: 5000, brokenAtSeq: null })],
  ];

  const yaml = new Map<string, string>();
  const policies = ['allow-partners', 'intel', 'scans', 'web-attacks', 'brute-force'].map((name, order) => ({
    name,
    description:
      [
        'Partners are reported, never blocked.',
        'Known-bad addresses from feeds.',
        'Blocks scanners that own their address.',
        'Signatures for web attacks, with proof of address.',
        'Password guessing against SSH, FTP, RDP.',
      ][order] ?? '',
    version: order + 1,
    ...(order === 3 ? { mode: 'observe' as const } : {}),
    enabled: order !== 4,
    order,
    actor: order % 2 ? 'anna' : 'admin',
    updatedMs: Date.now() - order * 9e7 - 9e6,
  }));

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://mock');
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const path = url.pathname.slice('/api/v1'.length);
    for (const [method, pattern, handler] of routes) {
      if (options.missing?.test(path)) break;
      const match = request.method === method ? pattern.exec(path) : null;
      if (!match) continue;
      const body = chunks.length ? (JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>) : {};
      const result = handler({ params: match.slice(1).map(decodeURIComponent), query: url.searchParams, body }) as
        Record<string, unknown> | undefined;
      const failure = result?.['problem'] as { status: number } | undefined;
      response.writeHead(failure ? failure.status : result === undefined ? 204 : 200, {
        'content-type': failure ? 'application/problem+json' : 'application/json',
      });
      response.end(result === undefined ? undefined : JSON.stringify(failure ?? result));
      return;
    }
    const more = MORE.find(([method, pattern]) => request.method === method && pattern.test(path));
    if (more && !options.missing?.test(path)) {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(more[2]));
      return;
    }
    response.writeHead(501, { 'content-type': 'application/problem+json' });
    response.end(JSON.stringify({ title: 'Not implemented', status: 501, code: 'http.not_implemented', detail: '' }));
  }

  function serveFile(pathname: string, response: ServerResponse): void {
    const wanted = join(dist, normalize(pathname));
    const isFile = wanted.startsWith(dist) && existsSync(wanted) && statSync(wanted).isFile();
    const file = isFile ? wanted : join(dist, 'index.html');
    response.writeHead(200, {
      'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
      'content-security-policy': CSP,
      'x-content-type-options': 'nosniff',
    });
    createReadStream(file).pipe(response);
  }

  const server = createServer((request, response) => {
    if (request.url?.startsWith('/api/v1/')) void answer(request, response);
    else serveFile((request.url ?? '/').split('?')[0] ?? '/', response);
  });
  const live = new WebSocketServer({ server, path: '/api/v1/live' });
  live.on('connection', (socket) => {
    socket.once('message', () => {
      sockets.add(socket);
      socket.send(JSON.stringify({ type: 'hello', seq }));
    });
    socket.on('close', () => sockets.delete(socket));
  });

  const timers = [
    setInterval(() => {
      for (const s of world.status.sensors) {
        s.packets += s.packetRate;
        s.packetRate = s.running ? Math.max(200, Math.round(s.packetRate * (0.96 + Math.random() * 0.08))) : 0;
      }
      publish('status', 'updated', world.status);
    }, 1000),
    setInterval(() => {
      const atMs = Math.floor(Date.now() / 60_000) * 60_000;
      publish('stats', 'updated', makePoint(atMs, 60, Math.floor(atMs / 60_000) % 60));
    }, 5000),
  ];
  if (options.lively) {
    timers.push(
      setInterval(() => {
        const alert = newAlert(world);
        world.alerts.unshift(alert);
        publish('alerts', 'created', alert);
      }, 4000),
    );
  }

  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    world,
    publish,
    dropSockets: () => {
      for (const socket of sockets) socket.terminate();
    },
    close: async () => {
      timers.forEach((t) => clearInterval(t));
      for (const socket of live.clients) socket.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const server = await startMockServer({
    port: Number(process.argv[2] ?? 4173),
    mode: (process.argv[3] ?? 'enforce') as Status['mode'],
    lively: true,
  });
  process.stdout.write(`mock API and built console on ${server.url}\n`);
}
