import type { Actor, Control } from '../../api/index.js';
import type { DecisionRequest, ExplainResponse, Setup, Status } from '../../contract/http.js';
import type { Decision } from '../../domain/decision.js';
import { nowUs } from '../../util/clock.js';
import { AppError } from '../../util/errors.js';
import { createInjection } from '../sensor/injection.js';
import { parseCidr } from '../../util/ip.js';
import { VERSION } from '../../util/version.js';
import { createBackups } from './backups.js';
import { createAllowlistControl } from './allowlist.js';
import { explainAddress } from './explain.js';
import { createPolicyControl } from './policy-control.js';
import { extended, invalid, refuseExempt, refuseUnfit, toDecision, warnAboutBlast } from './requested-decision.js';
import { createResponseRequests } from './response-requests.js';
import { createSiemControl, toSiemStatus } from './siem-control.js';
import type { ServerParts } from './parts.js';
import { createSetup } from './setup.js';
import { toCanaryResult, toDoctorResult, toRuleset } from './answers.js';

const DOCTOR_TIMEOUT_MS = 20_000;
const CANARY_TIMEOUT_MS = 30_000;
const EXPLAIN_TIMEOUT_MS = 1500;

/** What the API may ask of this server. */
export function createControl(parts: ServerParts): Control {
  let lastCanary: Setup['canary'] = null;
  let lastCounts = { since: 0, open: 0 };
  const { book, exemptions, settings, store, sensors, forwarder, questions } = parts;
  const allowlist = createAllowlistControl(parts);

  function need(id: string): Decision {
    const found = book.get(id);
    if (!found)
      throw new AppError({
        kind: 'user',
        code: 'decision.not_found',
        message: 'There is no decision in force with this id.',
      });
    return found;
  }

  function checked(request: DecisionRequest, actor: Actor): Decision {
    const network = parseCidr(request.value);
    if (!network) throw invalid(`"${request.value}" is not an address or prefix.`);
    refuseExempt(parts, network);
    const origin = actor.kind === 'token' ? 'api' : 'operator';
    const decision = toDecision(parts, request, network, { name: actor.name, origin });
    refuseUnfit(parts, decision);
    if (request.override !== true) warnAboutBlast(parts, decision, network);
    return decision;
  }

  async function status(): Promise<Status> {
    const now = Date.now();
    // Without its database too the server says how it is; the counts are then those of before.
    lastCounts = await store.alerts.counts(now - 3_600_000).catch(() => lastCounts);
    const database = await store.health();
    return {
      version: VERSION,
      mode: settings.mode(),
      paused: settings.pausedUntilMs() > now ? { untilMs: settings.pausedUntilMs() } : null,
      uptimeSecs: Math.round(process.uptime()),
      sensors: sensors.list(),
      responder: parts.responder(),
      latency: latencyOf(parts),
      alerts: { lastHour: lastCounts.since, open: lastCounts.open },
      decisions: book.counts(),
      siem: forwarder.status().map(toSiemStatus),
      database: { kind: store.kind, ok: database.ok },
      changes: parts.changes.list(),
      canary: parts.canary(),
      problems: parts.problems(),
    };
  }

  return {
    status,
    pause: async (secs, actor) => settings.pauseUntil(Date.now() + secs * 1000, actor.name),
    resume: async (actor) => settings.pauseUntil(0, actor.name),

    addDecision(request, actor) {
      const decision = checked(request, actor);
      book.add(decision, undefined);
      return decision;
    },
    checkDecision: (request, actor) => void checked(request, actor),
    decisionsInForce: () => book.active(),
    extendDecision(id, durationSecs, actor) {
      refuseUnfit(parts, extended(need(id), durationSecs));
      return book.extend(id, durationSecs, actor.name) ?? need(id);
    },
    releaseDecision(id, reason, actor) {
      need(id);
      return book.release(id, actor.name, reason, true) ?? need(id);
    },
    addAllow: (request, actor) => allowlist.add(request, actor),
    removeAllow: (id) => allowlist.remove(id),
    checkAllow: (value) => allowlist.check(value),
    protectedSet: () => [...exemptions.protected()],
    explain: (address, packet): Promise<ExplainResponse> =>
      explainAddress(parts, address, packet, (value) => questions.ask('explain', value, EXPLAIN_TIMEOUT_MS)),
    ...createPolicyControl(parts),
    models: parts.learning.control.models,
    training: parts.learning.control.training,
    rules: parts.rules,
    suppressions: parts.suppressions,
    intel: parts.intel,
    inline: parts.inline,
    siem: createSiemControl(forwarder, parts.configFile, parts.siemReloaded),
    respond: createResponseRequests(parts, parts.responseOptions),
    remediation: parts.remediation,
    system: {
      async doctor() {
        const watched = sensors.list().flatMap((s) => (s.connected && s.running ? s.interfaces : []));
        return toDoctorResult(await questions.ask('doctor', watched.join(' '), DOCTOR_TIMEOUT_MS));
      },
      async canary() {
        const result = toCanaryResult(await questions.ask('canary', undefined, CANARY_TIMEOUT_MS));
        if (result.unprovable === undefined) lastCanary = { ok: result.ok, atMs: Date.now() };
        return result;
      },
      ruleset: async () => toRuleset(await questions.ask('ruleset', undefined, DOCTOR_TIMEOUT_MS)),
    },
    backups: createBackups({
      dataDir: parts.config.data_dir,
      name: parts.config.name,
      configFile: parts.configFile,
      now: Date.now,
      log: parts.log,
    }),
    sensors: {
      list: () => sensors.list(),
      inject(name, { packets, sample, gapMs }) {
        const { block, offender } = createInjection({ packets, sample, gapMs }, nowUs());
        const command = {
          type: 'inject' as const,
          gapMs,
          ...(packets === undefined ? {} : { packets }),
          ...(sample === undefined ? {} : { sample }),
        };
        if (!parts.toSensor(name, command)) {
          throw new AppError({ kind: 'user', code: 'sensor.not_found', message: `No sensor "${name}" is connected.` });
        }
        return { packets: block.count, offender };
      },
      capture(name, running, interfaces) {
        const sensor = sensors.get(name);
        const sent = parts.toSensor(name, {
          type: 'capture',
          running,
          ...(interfaces === undefined ? {} : { interfaces }),
        });
        if (!sensor || !sent)
          throw new AppError({ kind: 'user', code: 'sensor.not_found', message: `No sensor "${name}" is connected.` });
        return { ...sensor, running, ...(interfaces === undefined ? {} : { interfaces }) };
      },
    },
    baselines: {
      list: (query) => parts.baselines.list(query),
      get: (host) => parts.baselines.get(host),
      forget(host) {
        const having = parts.baselines.forget(host);
        for (const name of having) parts.toSensor(name, { type: 'forget_baseline', host });
        return having.length > 0;
      },
    },
    health() {
      const responder = parts.responder();
      return {
        sensor: {
          ok: sensors.list().some((s) => s.connected && s.running),
          detail: `${sensors.list().filter((s) => s.connected).length} connected`,
        },
        responder: { ok: responder.connected, detail: responder.connected ? responder.backend : 'not connected' },
        enforcement: {
          ok: responder.enforced >= responder.desired,
          detail: `${responder.enforced} of ${responder.desired} in force`,
        },
      };
    },
    lab: parts.lab.control,
    fleet: parts.fleet,
    evidence: parts.evidence.control,
    homeNetworks: () => parts.config.policy.home_networks,
    settings: {
      ...parts.configuration,
      ...createSetup({
        config: parts.config,
        store,
        settings,
        sensors,
        protectedSet: () => [...exemptions.protected()],
        siem: () => forwarder.status().map(toSiemStatus),
        canary: () => lastCanary,
        change: parts.configuration.change,
      }),
    },
    metrics: () => parts.metrics(),
  };
}

function latencyOf(parts: ServerParts): Status['latency'] {
  const { count, p50Us, p95Us, p99Us } = parts.book.latency.summary();
  return { count, p50Us, p95Us, p99Us };
}
