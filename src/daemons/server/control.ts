import type { Actor, Control } from '../../api/index.js';
import type { ExplainResponse, SiemStatus, Status } from '../../contract/http.js';
import type { AllowEntry, Decision, Mode } from '../../domain/decision.js';
import type { DestinationStatus } from '../../forward/index.js';
import { judgeOnce } from '../../policy/index.js';
import { AppError } from '../../util/errors.js';
import { canonicalAddress, formatCidr, parseCidr, type Cidr } from '../../util/ip.js';
import { uuid7 } from '../../util/uuid7.js';
import { VERSION } from '../../util/version.js';
import { explainAddress } from './explain.js';
import type { ServerParts } from './parts.js';
import { toCanaryResult, toDoctorResult } from './answers.js';

const DOCTOR_TIMEOUT_MS = 20_000;
const CANARY_TIMEOUT_MS = 30_000;
const EXPLAIN_TIMEOUT_MS = 1500;

/** What the API may ask of this server. */
export function createControl(parts: ServerParts): Control {
  const { book, exemptions, settings, store, sensors, policies, forwarder, questions } = parts;

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

  async function status(): Promise<Status> {
    const now = Date.now();
    const alerts = await store.alerts.counts(now - 3_600_000);
    const database = await store.health();
    return {
      version: VERSION,
      mode: settings.mode(),
      paused: settings.pausedUntilMs() > now ? { untilMs: settings.pausedUntilMs() } : null,
      uptimeSecs: Math.round(process.uptime()),
      sensors: sensors.list(),
      responder: parts.responder(),
      latency: latencyOf(parts),
      alerts: { lastHour: alerts.since, open: alerts.open },
      decisions: book.counts(),
      siem: forwarder.status().map(toSiemStatus),
      database: { kind: store.kind, ok: database.ok },
    };
  }

  return {
    status,
    async setMode(mode, actor) {
      if (mode === 'enforce' && parts.responder().backend === 'dry-run') {
        throw new AppError({
          kind: 'user',
          code: 'decision.cannot_enforce',
          message: 'Nothing can be blocked here: the responder cannot use nftables.',
          fix: 'Install nftables and give the responder CAP_NET_ADMIN; `portcullis doctor` says more.',
        });
      }
      await settings.setMode(mode, actor.name);
    },
    pause: async (secs, actor) => settings.pauseUntil(Date.now() + secs * 1000, actor.name),
    resume: async (actor) => settings.pauseUntil(0, actor.name),

    addDecision(request, actor) {
      const network = parseCidr(request.value);
      if (!network) throw invalid(`"${request.value}" is not an address or prefix.`);
      refuseExempt(parts, network);
      const decision = operatorDecision(parts, request, network, actor);
      warnAboutBlast(parts, decision, network, request.override === true);
      book.add(decision, undefined);
      return decision;
    },
    extendDecision(id, durationSecs, actor) {
      need(id);
      return book.extend(id, durationSecs, actor.name) ?? need(id);
    },
    releaseDecision(id, reason, actor) {
      need(id);
      return book.release(id, actor.name, reason, true) ?? need(id);
    },
    async addAllow(request, actor) {
      const entry: AllowEntry = {
        id: uuid7(),
        value: canonicalAddress(request.value) ?? request.value.toLowerCase(),
        owner: actor.name,
        comment: request.comment,
        createdMs: Date.now(),
        expiresMs: request.durationSecs ? Date.now() + request.durationSecs * 1000 : 0,
      };
      if (
        canonicalAddress(entry.value) === undefined &&
        !/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?\.[a-z]{2,}$/.test(entry.value)
      ) {
        throw new AppError({
          kind: 'user',
          code: 'allowlist.invalid',
          message: `"${request.value}" is not an address, a prefix or a DNS name.`,
        });
      }
      await store.allowlist.add(entry);
      await parts.refreshAllowlist();
      const network = parseCidr(entry.value);
      for (const decision of network ? book.covering(network) : []) {
        const about = parseCidr(decision.value);
        if (about && network && about.prefix >= network.prefix)
          book.release(decision.id, actor.name, `allowed: ${entry.comment}`, true);
      }
      return entry;
    },
    async removeAllow(id) {
      await store.allowlist.remove(id);
      await parts.refreshAllowlist();
    },
    protectedSet: () => [...exemptions.protected()],
    explain: (address, port): Promise<ExplainResponse> =>
      explainAddress(parts, address, port, () => questions.ask('explain', address, EXPLAIN_TIMEOUT_MS)),

    policies: {
      list: () => policies.list(),
      get: (name) => policies.get(name),
      validate: (yaml) => policies.validate(yaml),
      put: (name, yaml, comment, actor) => policies.put(name, yaml, comment, actor.name),
      async test(name, alert) {
        const detail = await policies.get(name);
        const policy = parts.engine.policies().find((p) => p.name === detail.name);
        if (!policy)
          throw new AppError({ kind: 'user', code: 'policy.not_found', message: `There is no policy "${name}".` });
        return judgeOnce([policy], alert, parts.policyOptions, parts.guards);
      },
    },
    models: { list: () => parts.models() },
    rules: { list: () => [] },
    siem: {
      list: () => forwarder.status().map(toSiemStatus),
      async test(name) {
        const result = await forwarder.test(name);
        return { ok: result.ok, sent: result.bytes, answer: result.error ?? result.answer };
      },
    },
    system: {
      doctor: async () => toDoctorResult(await questions.ask('doctor', undefined, DOCTOR_TIMEOUT_MS)),
      canary: async () => toCanaryResult(await questions.ask('canary', undefined, CANARY_TIMEOUT_MS)),
    },
    sensors: {
      list: () => sensors.list(),
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
    metrics: () => parts.metrics(),
  };
}

function operatorDecision(
  parts: ServerParts,
  request: Parameters<Control['addDecision']>[0],
  network: Cidr,
  actor: Actor,
): Decision {
  const full = network.version === 4 ? 32 : 128;
  const scope = request.scope ?? (request.port !== undefined ? 'service' : network.prefix < full ? 'cidr' : 'ip');
  if ((scope === 'service' || scope === 'flow') && (request.port === undefined || request.proto === undefined)) {
    throw invalid('A block of one service needs proto and port.');
  }
  const now = Date.now();
  const mode: Mode = parts.settings.mode();
  const simulated = mode === 'observe';
  return {
    id: uuid7(),
    action: request.action ?? 'block',
    scope,
    value: network.prefix === full ? (canonicalAddress(request.value) ?? request.value) : formatCidr(network),
    traffic: 'from',
    ...(request.proto === undefined ? {} : { proto: request.proto }),
    ...(request.port === undefined ? {} : { port: request.port }),
    durationSecs: request.durationSecs,
    createdMs: now,
    expiresMs: request.durationSecs === 0 ? 0 : now + request.durationSecs * 1000,
    origin: actor.kind === 'user' || actor.kind === 'local' ? 'operator' : 'api',
    actor: actor.name,
    reason: request.reason,
    alertIds: [],
    simulated,
    mode,
    step: 0,
    enforcement: 'pending',
    trace: { packetUs: 0, detectedUs: 0, alertUs: 0, decidedUs: now * 1000, receivedUs: 0, kernelUs: 0 },
  };
}

function refuseExempt(parts: ServerParts, network: Cidr): void {
  const kept = parts.exemptions.findProtected(network);
  if (kept) {
    throw new AppError({
      kind: 'user',
      code: 'decision.protected',
      message: `${kept.value} is protected (${kept.reason.replace('_', ' ')}: ${kept.detail}) and can never be blocked.`,
    });
  }
  const allowed = parts.exemptions.findAllowed(network, Date.now());
  if (allowed) {
    throw new AppError({
      kind: 'user',
      code: 'decision.allowed',
      message: `${allowed.value} is on the allowlist of ${allowed.owner}: ${allowed.comment}`,
      fix: 'End the exemption first.',
    });
  }
}

function warnAboutBlast(parts: ServerParts, decision: Decision, network: Cidr, override: boolean): void {
  if (override || decision.action !== 'block') return;
  const radius = parts.guards.blastRadius(network);
  const limit = parts.policyOptions.blast_radius;
  if (!radius || (radius.benignFlows <= limit.max_benign_flows && radius.benignPeers <= limit.max_benign_peers)) return;
  throw new AppError({
    kind: 'user',
    code: 'decision.warned',
    message: `${radius.benignFlows} ordinary flows to ${radius.benignPeers} inside hosts share ${decision.value}.`,
    fix: 'Block one service for a short time, or confirm with override.',
  });
}

function latencyOf(parts: ServerParts): Status['latency'] {
  const { count, p50Us, p95Us, p99Us } = parts.book.latency.summary();
  return { count, p50Us, p95Us, p99Us };
}

function toSiemStatus(d: DestinationStatus): SiemStatus {
  const state = d.state === 'misconfigured' ? 'failed' : d.state === 'starting' ? 'retrying' : d.state;
  return {
    name: d.name,
    state,
    format: d.format,
    transport: d.protocol,
    target: d.target,
    backlog: d.backlogEvents,
    confirmed: d.confirmed,
    dropped: d.dropped,
    lastError: d.lastError === '' ? null : d.lastError,
  };
}

function invalid(message: string): AppError {
  return new AppError({ kind: 'user', code: 'decision.invalid', message });
}
