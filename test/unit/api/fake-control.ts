import { fakeIntel } from './fake-intel.js';
import { fakeRules } from './fake-rules.js';
import { fakeSuppressions } from './fake-suppressions.js';
import type { Control } from '../../../src/api/index.js';
import type { BacktestJob, BaselineDetail, PendingChange, Status } from '../../../src/contract/http.js';
import type { Decision } from '../../../src/domain/decision.js';
import type { Store } from '../../../src/store/index.js';
import { AppError } from '../../../src/util/errors.js';
import { uuid7 } from '../../../src/util/uuid7.js';
import { createFakeLab } from './fake-lab.js';
import { fakeModels } from './fake-models.js';
import { sampleDecision } from '../store/samples.js';

const fakeSettings: Control['settings'] = {
  list: () => [
    {
      key: 'store.password', value: '***', default: null, source: 'file', description: 'd', secret: true, changeable: false,
      applies: 'restart', pending: false,
    },
  ], // prettier-ignore
  change: (changes) => ({ before: {}, after: { ...changes } }),
  setup: () => ({
    finished: false, interfaces: [], homeNetworks: [], suggestedNetworks: [], protected: [], siem: [], mode: 'observe', learning: null,
    canary: null, observed: { sinceMs: 1, alerts: 0, simulatedBlocks: 0, flows: 0 },
  }), // prettier-ignore
  changeSetup: () => undefined,
};

export type FakeControl = Control & { calls: unknown[][] };

/** Stands in for the server daemon: keeps decisions in the store and remembers what it was asked. */
export function createFakeControl(store: Store): FakeControl {
  const calls: unknown[][] = [];
  let mode: Status['mode'] = 'observe';
  let paused: Status['paused'] = null;

  const missing = (what: string) =>
    new AppError({ kind: 'user', code: `${what}.not_found`, message: `No such ${what}.` });
  const policy = {
    name: 'scanners', description: 'd', version: 1, enabled: true, order: 0, actor: 'ada', updatedMs: 1, yaml: 'a: 1', versions: [],
  }; // prettier-ignore
  const sensor = {
    name: 'edge', connected: true, running: true, interfaces: ['lan0'], packets: 1, kernelDrops: 0, packetRate: 2, flows: 3,
    lastSeenMs: 4, stats: {},
  }; // prettier-ignore

  const baseline: BaselineDetail = {
    host: '10.0.0.5', sensor: 'edge', isLearning: true, learnedMs: 9, firstMs: 1, lastMs: 2, volumes: [], peers: [],
  }; // prettier-ignore

  let pending: PendingChange[] = [];
  function arm(kind: PendingChange['kind'], object: string, actor: string, secs: number): PendingChange {
    const change = { id: uuid7(), kind, object, summary: 's', actor, madeMs: 1, revertMs: 1 + secs * 1000 };
    pending = [...pending, change];
    return change;
  }
  function takeChange(id: string): PendingChange {
    const change = pending.find((c) => c.id === id);
    if (!change) throw missing('change');
    pending = pending.filter((c) => c !== change);
    return change;
  }
  const job: BacktestJob = {
    id: uuid7(), state: 'running', progress: 0.5, actor: 'ada', sinceSecs: 60, candidates: [], startedMs: 1, endedMs: null,
    error: null, result: null,
  }; // prettier-ignore

  async function end(id: string, change: Partial<Decision>): Promise<Decision> {
    const decision = await store.decisions.get(id);
    if (!decision) throw missing('decision');
    const after = { ...decision, ...change };
    await store.decisions.save({ decision: after });
    return after;
  }

  return {
    calls,
    suppressions: fakeSuppressions(),
    status: () => ({
      version: '0.0.0-test', mode, paused, uptimeSecs: 1, sensors: [sensor],
      responder: { connected: true, backend: 'dry-run', desired: 0, enforced: 0, healed: 0 },
      latency: { count: 0, p50Us: 0, p95Us: 0, p99Us: 0 }, alerts: { lastHour: 0, open: 0 },
      decisions: { active: 0, simulated: 0 }, siem: [], database: { kind: 'sqlite', ok: true },
    }), // prettier-ignore
    setMode(next, actor, confirmSecs) {
      calls.push(['setMode', next, actor]);
      mode = next;
      return confirmSecs === undefined ? undefined : arm('mode', 'mode', actor.name, confirmSecs);
    },
    pause(secs, actor) {
      calls.push(['pause', secs, actor]);
      paused = { untilMs: secs };
    },
    resume(actor) {
      calls.push(['resume', actor]);
      paused = null;
    },
    async addDecision(request, actor) {
      calls.push(['addDecision', request, actor]);
      if (request.value === '192.0.2.1') {
        throw new AppError({ kind: 'user', code: 'decision.protected', message: '192.0.2.1 is protected: gateway.' });
      }
      const decision = sampleDecision({
        value: request.value,
        reason: request.reason,
        origin: actor.kind === 'user' ? 'operator' : 'api',
        actor: actor.name,
        expiresMs: 0,
      });
      await store.decisions.save({ decision });
      return decision;
    },
    checkDecision({ value }) {
      if (value === '192.0.2.1') {
        throw new AppError({ kind: 'user', code: 'decision.protected', message: '192.0.2.1 is protected: gateway.' });
      }
    },
    decisionsInForce: () => [sampleDecision({ value: '203.0.113.99', enforcement: 'applied' })],
    extendDecision: (id, durationSecs) => end(id, { durationSecs }),
    async releaseDecision(id) {
      const decision = await store.decisions.get(id);
      if (!decision || decision.enforcement === 'revoked') throw missing('decision');
      return end(id, { enforcement: 'revoked' });
    },
    async addAllow({ value, comment }, actor) {
      // As the server does: what it covers is lifted, and is then not in force any more.
      const { items } = await store.decisions.list({ limit: 200, q: `ip:${value}`, state: 'active' }, 0);
      for (const d of items) if (d.value === value) await end(d.id, { enforcement: 'revoked' });
      const entry = { id: uuid7(), value, owner: actor.name, comment, createdMs: 1, expiresMs: 0 };
      await store.allowlist.add(entry);
      return entry;
    },
    removeAllow: (id) => store.allowlist.remove(id),
    checkAllow: (value) => ({
      value, addresses: [value], refused: null, overlaps: [], protected: [], decisions: [], text: [],
    }), // prettier-ignore
    protectedSet: () => [{ value: '192.0.2.1', reason: 'gateway', detail: 'lan0' }],
    explain: (address) => ({
      address, blocked: false, allowed: null, protected: null, decisions: [], lastAlerts: [], verdicts: [], text: ['nothing'],
    }), // prettier-ignore
    policies: {
      list: () => [policy],
      get(name) {
        if (name !== policy.name) throw missing('policy');
        return policy;
      },
      validate: () => ({ ok: true, problems: [] }),
      async put(name, { yaml, comment, confirmSecs }, actor) {
        const stored = await store.policies.add({ name, yaml, comment, actor: actor.name });
        const saved = { ...policy, name, yaml, version: stored.version };
        return confirmSecs === undefined ? saved : { ...saved, pending: arm('policy', name, actor.name, confirmSecs) };
      },
      rollback: (_name, { version }) => ({ ...policy, version: version + 1 }),
      remove(name) {
        if (name !== policy.name) throw missing('policy');
      },
      diff: () => ({ from: 1, to: 2, added: 0, removed: 0, lines: [] }),
      explain: (alert) => ({
        verdict: { alertId: alert.id, outcome: 'monitor', mode: 'observe', reason: 'none', considered: [], guards: [] },
        nearest: [], text: [],
      }), // prettier-ignore
      test: (_name, alert) => ({
        alertId: alert.id, outcome: 'monitor', mode: 'observe', reason: 'none matched', considered: [], guards: [],
      }), // prettier-ignore
    },
    changes: {
      list: () => pending,
      confirm: (id) => ({ change: takeChange(id), outcome: 'confirmed', lifted: 0 }),
      revert: (id) => ({ change: takeChange(id), outcome: 'reverted', lifted: 0 }),
    },
    backtests: {
      start: ({ sinceSecs }, actor) => ({ ...job, sinceSecs, actor: actor.name }),
      list: () => [job],
      get(id) {
        if (id !== job.id) throw missing('backtest');
        return job;
      },
      cancel: () => ({ ...job, state: 'cancelled' }),
    },
    ...fakeModels(calls),
    rules: fakeRules(),
    fleet: () => ({ self: null, scheduler: null, members: [] }),
    intel: fakeIntel(),
    inline: fakeInline(),
    settings: fakeSettings,
    homeNetworks: () => ['192.0.2.0/24'],
    lab: createFakeLab(() => missing('lab')),
    evidence: {
      packets: () => Promise.resolve({ items: [], nextCursor: null, total: 0 }),
      packet: () => Promise.reject(missing('evidence')),
      pcap: () => Promise.resolve(Buffer.from('d4c3b2a1', 'hex')),
    },
    siem: {
      list: () => [],
      test() {
        throw missing('siem');
      },
      ...fakeSiem(() => missing('siem')),
    },
    backups: fakeBackups(() => missing('backup')),
    remediation: { list: () => [], changes: () => ({ isComplete: true, added: [], ended: [] }) },
    respond(request, actor) {
      calls.push(['respond', request, actor]);
      return request.items.map(({ op, value }) => ({
        ...{
          op,
          value,
          outcome: 'accepted' as const,
          message: 'done',
          decisionIds: [],
          capped: false,
          simulated: false,
        },
      }));
    },
    system: {
      doctor: () => ({ ok: true, checks: [{ name: 'ruleset.order', status: 'ok', message: 'fine' }] }),
      canary: () => ({ ok: true, steps: [] }),
      ruleset: () => ({
        table: 'portcullis', backend: 'netlink', families: ['inet'], problem: '', text: 'table inet portcullis {\n}\n',
        chains: [
          { family: 'inet', table: 'portcullis', chain: 'forward', hook: 'forward', type: 'filter', priority: -10, policy: 'accept', rules: 2, ours: true },
        ],
        sets: [{ name: 'block4_32', role: 'block', version: 4, prefix: 32, elements: 3, size: 1000 }],
        counters: [{ name: 'blocked', packets: 1, bytes: 60 }],
      }), // prettier-ignore
    },
    sensors: {
      list: () => [sensor],
      inject(name) {
        if (name !== sensor.name) throw missing('sensor');
        return { packets: 1, offender: '198.51.100.23' };
      },
      capture(name) {
        if (name !== sensor.name) throw missing('sensor');
        return sensor;
      },
    },
    baselines: {
      list: () => ({
        items: [{ host: baseline.host, sensor: 'edge', isLearning: true, learnedMs: 9, firstMs: 1, lastMs: 2, usualPeers: 0, peakSentBytes: 0 }],
        nextCursor: null,
      }), // prettier-ignore
      get: (host) => (host === baseline.host ? baseline : undefined),
      forget: (host) => host === baseline.host,
    },
    health: () => ({ responder: { ok: true, detail: 'connected' } }),
    metrics: () => ({ packets_total: 7 }),
  };
}

/** No destination is configured. */
function fakeSiem(missing: () => Error): Omit<Control['siem'], 'list' | 'test'> {
  const none = (): never => {
    throw missing();
  };
  return {
    ...{ detail: none, receipts: none, gaps: none, deadLetters: none, replay: none, lastReplay: none },
    deliveries: (id) => ({ id, events: [] }),
    reload: () => ({ added: [], changed: [], removed: [], unchanged: [] }),
  };
}

/** One backup, which is three bytes. */
function fakeBackups(missing: () => Error): Control['backups'] {
  let items = [{ name: 'portcullis-box-1.tar.gz', bytes: 3, createdMs: 1 }];
  const list = () => Promise.resolve({ items, nextCursor: null, runningSinceMs: null, lastError: null });
  return {
    list,
    start: list,
    check: (name) =>
      items.some((b) => b.name === name)
        ? Promise.resolve({ ok: true, text: 'whole', restore: ['restore'] })
        : Promise.reject(missing()),
    file: (name) =>
      items.some((b) => b.name === name)
        ? Promise.resolve({ name, type: 'application/gzip', body: Buffer.from('abc') })
        : Promise.reject(missing()),
    remove(name) {
      if (!items.some((b) => b.name === name)) return Promise.reject(missing());
      items = items.filter((b) => b.name !== name);
      return Promise.resolve();
    },
  };
}

function fakeInline(): Control['inline'] {
  let mode: 'off' | 'observe' | 'enforce' = 'observe';
  return {
    status: () => ({
      enabled: true,
      connected: true,
      mode,
      effectiveMode: mode,
      fail: 'open',
      lastSeenMs: 0,
      state: null,
    }),
    setMode(next) {
      mode = next;
      return Promise.resolve(undefined);
    },
    drops: () => [],
  };
}
