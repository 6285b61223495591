import { join } from 'node:path';
import { z } from 'zod';
import { openBusServer, type Peer, type ResponderReport, type SensorReport } from '../../bus/index.js';
import { installRoot, type LoadedConfig } from '../../config/index.js';
import { createCorrelator } from '../../correlate/index.js';
import type { AlertUpdate } from '../../domain/alert.js';
import type { Decision, ProtectedEntry } from '../../domain/decision.js';
import type { Verdict } from '../../domain/verdict.js';
import { AllowNames } from '../../enforce/index.js';
import { alertToSiemEvent, openForwarder } from '../../forward/index.js';
import { openIngest } from '../../ingest/index.js';
import { createBlastTracker, createPolicyEngine, type GuardDeps } from '../../policy/index.js';
import { openStore } from '../../store/index.js';
import type { Logger } from '../../util/logger.js';
import { uuid7 } from '../../util/uuid7.js';
import { VERSION } from '../../util/version.js';
import { openFolder } from '../folders.js';
import { waitForAbort } from '../wait.js';
import { auditToSiemEvent, healthEvent } from './audit-events.js';
import { openBaselineBook } from './baselines.js';
import { createControl } from './control.js';
import { createDecisionBook, createExemptions } from './decisions.js';
import { createFlowIntake } from './flow-intake.js';
import { createJudge } from './judge.js';
import { createFeedBlocks } from './feed-blocks.js';
import { createIntelBook } from './intel.js';
import { createIncidentBook } from './incidents.js';
import { createConfiguration } from './configuration.js';
import { createEvidenceStore } from './evidence.js';
import { createLab } from './lab.js';
import type { ServerParts } from './parts.js';
import { siemPeers, sessionEntries } from './peers.js';
import { createListSender } from './list-sync.js';
import { createPolicyBook } from './policies.js';
import { createBacktestJobs } from './backtests.js';
import { changeText, createChangeBook } from './changes.js';
import { undoChange } from './policy-control.js';
import { watchPolicies } from './policy-watch.js';
import { createProblemList } from './problems.js';
import { createRuleBook } from './rules.js';
import { createQuestions } from './questions.js';
import { reloadOnHangup } from './reload.js';
import { createRemediationFeed } from './remediation.js';
import { createLearning } from './training-parts.js';
import { createResponseMemory } from './response-memory.js';
import { createResponderView } from './responder-view.js';
import { createSensorBook } from './sensors.js';
import { loadSettings } from './settings.js';
import { openHttp, type Http } from './http.js';
import { warmUp } from './warm-up.js';

/** What the supervisor prints when the server is up. */
export interface ServerReady {
  url: string;
  /** Set on the very first start. */
  firstLogin?: { username: string; password: string };
}

const BLAST_WINDOW_MS = 86_400_000;
const BLAST_ADDRESSES = 50_000;
const MAX_WAITING_FLOWS = 50_000;
const SHUTDOWN_MS = 5000;
/** Enough for the compiler to have seen the whole way; takes a third of a second. */
const WARM_UP_ROUNDS = 3000;
/** What allowed names stood for when the server last ran. */
const namesSchema = z.record(z.string(), z.array(z.string()));

/**
 * The server daemon: detections to alerts, alerts to decisions, everything to store, console and SIEM. The path from a
 * detection to the responder is synchronous; store, SIEM and console get theirs after the decision has left.
 */
export async function runServer(
  config: LoadedConfig,
  log: Logger,
  signal: AbortSignal,
  ready: (info: ServerReady) => void,
): Promise<void> {
  openFolder(config.data_dir, 'data_dir');
  openFolder(config.runtime_dir, 'runtime_dir');
  // Set at the end; until then nobody watches.
  let http: Http | undefined = undefined;
  const store = await openStore({ ...config.store, homeNetworks: config.policy.home_networks }, { log });
  const forwarder = await openForwarder(config.siem, {
    dataDir: config.data_dir,
    log,
    now: Date.now,
    hostName: config.name,
    ...(config.file === undefined ? {} : { configDir: join(config.file, '..') }),
  });
  const settings = await loadSettings(store.settings, config.mode, () => {
    http?.publishStatus();
  });
  const exemptions = createExemptions();
  const blast = createBlastTracker({
    maxAddresses: BLAST_ADDRESSES,
    windowMs: BLAST_WINDOW_MS,
    homeNetworks: config.policy.home_networks,
  });
  const guards: GuardDeps = {
    findProtected: exemptions.findProtected,
    findAllowed: exemptions.findAllowed,
    blastRadius: (network) => blast.radius(network, Date.now()),
  };
  const allowNames = new AllowNames({
    log,
    onResolved(entries) {
      exemptions.setAllowed(entries);
      void store.settings.set('allow_names', allowNames.known(), 'server').catch((error: unknown) => {
        log.error({ err: error }, 'The addresses of allowed names were not stored.');
      });
    },
  });
  allowNames.seed(namesSchema.safeParse(await store.settings.get('allow_names')).data ?? {});
  // The static part is in force when this returns; names follow, the resolver is not waited for.
  void allowNames.set(await store.allowlist.active(Date.now()));
  const problems = createProblemList();
  const engine = createPolicyEngine(config.policy, {
    ...guards,
    mode: settings.mode,
    pausedUntilMs: settings.pausedUntilMs,
    newId: uuid7,
  });
  const policies = createPolicyBook({
    dir: config.policy.dir,
    ownDir: join(config.data_dir, 'policies'),
    repository: store.policies,
    engine,
    log,
  });
  await policies.load();
  warmUp({ correlate: config.correlate, policy: config.policy, policies: engine.policies(), rounds: WARM_UP_ROUNDS });
  const policyWatch = watchPolicies({
    dirs: [config.policy.dir, join(config.data_dir, 'policies')],
    load: policies.load,
    failed(message) {
      problems.add({ atMs: Date.now(), component: 'policies', severity: 'medium', code: 'policy.invalid', message });
      forwarder.push(healthEvent(config.name, 'policies', 'warning', message));
    },
    log,
  });

  const incidents = createIncidentBook();
  const responses = createResponseMemory();
  const rules = createRuleBook({
    options: config.detect.signature,
    reload: () => bus.toSensors({ type: 'reload', what: 'rules' }),
    log,
    now: Date.now,
  });
  const sensors = createSensorBook();
  const { baseline } = config.detect.behaviour;
  const baselines = openBaselineBook(
    { dir: join(config.data_dir, 'baselines'), learnDays: baseline.learnDays, maxHosts: baseline.maxHosts },
    log,
  );
  const responder = createResponderView();
  const counts = { detections: 0, alerts: 0, flows: 0, problems: 0 };
  const timeline = { packets: 0, bytes: 0, flows: 0, kernelDrops: 0, alerts: 0, blocks: 0 };

  const remediation = createRemediationFeed(Date.now);
  const book = createDecisionBook({
    name: config.name,
    toResponders: (command) => bus.toResponders(command),
    queue: (write) => store.decisions.queue(write),
    toSiem: (event) => {
      forwarder.push(event);
    },
    changed(decision, isNew) {
      remediation.changed(decision);
      http?.publish({ topic: 'decisions', data: decision }, isNew ? 'created' : 'updated');
    },
    ended: engine.ended,
    answered(decision) {
      if (!decision.simulated) timeline.blocks++;
      void store.alerts
        .setResponse(decision.alertIds, decision.simulated ? 'simulated' : 'blocked')
        .catch((error: unknown) => {
          log.error({ err: error }, 'The response of an alert was not stored.');
        });
    },
  });

  const judge = createJudge({ engine, book, condemn: blast.condemn, judged });
  const evidence = createEvidenceStore(
    join(config.data_dir, 'evidence'),
    config.capture.evidence.storeMib * 1024 * 1024,
    log,
  );
  const correlator = createCorrelator(config.correlate, { emit: judge, newId: uuid7 });

  function judged({ alert, isNew, latest }: AlertUpdate, verdict: Verdict, decision: Decision | undefined): void {
    evidence.link(latest.id, alert.id);
    counts.alerts += isNew ? 1 : 0;
    timeline.alerts += isNew ? 1 : 0;
    const response = responses.of(alert.id, decision);
    store.alerts.queue({ alert, verdict, ...(response === undefined ? {} : { response }) });
    const grown = incidents.add(alert, isNew);
    store.incidents.queue(grown.incident);
    forwarder.push(
      alertToSiemEvent(alert, {
        isNew,
        action: response ?? 'allowed',
        ...(decision ? { decisionId: decision.id } : {}),
      }),
    );
    http?.publishAlert(alert, response ?? 'none', isNew);
    http?.publish({ topic: 'incidents', data: grown.incident }, grown.isNew ? 'created' : 'updated');
  }

  const flowIntake = createFlowIntake((sensor, flow) => {
    blast.note(flow);
    store.flows.queue(sensor, flow);
  }, MAX_WAITING_FLOWS);

  function onSensor(message: SensorReport, sensor: string): void {
    switch (message.type) {
      case 'detection':
        counts.detections++;
        rules.hits.note(message.detection, Date.now());
        correlator.push(message.detection);
        return;
      case 'flows':
        counts.flows += message.flows.length;
        timeline.flows += message.flows.length;
        flowIntake.push(sensor, message.flows);
        return;
      case 'evidence':
        evidence.add(message);
        return;
      case 'scoring':
        learning.onScoring(message, sensor);
        return;
      case 'stats': {
        const delta = sensors.stats(sensor, message.stats, message.atMs);
        timeline.packets += delta.packets;
        timeline.bytes += delta.bytes;
        timeline.kernelDrops += delta.kernelDrops;
        return;
      }
      case 'baselines':
        baselines.update(sensor, message.hosts);
        return;
      case 'problem':
        counts.problems++;
        log.error({ sensor, code: message.code, problem: message.message }, 'A sensor reported a problem.');
        forwarder.push(healthEvent(config.name, `sensor ${sensor}`, 'failed', message.message));
    }
  }

  function onResponder(message: ResponderReport, peer: Peer): void {
    switch (message.type) {
      case 'report':
        book.report(message.reports);
        return;
      case 'state':
        responder.state(message);
        exemptions.setProtected(message.protected);
        return;
      case 'hits':
        book.hits(message.hits, message.atMs);
        return;
      case 'incident':
        log.error({ code: message.code, details: message.details }, 'The responder reported an incident.');
        onIncident(message);
        forwarder.push(healthEvent(config.name, 'responder', 'failed', message.message, message.severity));
        return;
      case 'synced':
        listSender.taken(peer.name, message.syncId);
        return;
      case 'answer':
        questions.answer(message.requestId, message.result);
    }
  }

  /** What the responder found or mended: for the console and the audit trail, beside the SIEM. */
  function onIncident({ severity, code, message, details }: Extract<ResponderReport, { type: 'incident' }>): void {
    problems.add({ atMs: Date.now(), component: 'responder', severity, code, message });
    const entry = { actor: 'responder', address: '', outcome: 'success', action: code, object: 'kernel' } as const;
    void store.audit.append({ ...entry, reason: message, after: details }).catch((error: unknown) => {
      log.error({ err: error }, 'An incident of the responder was not audited.');
    });
    http?.publishStatus();
  }

  const consoleSessions = sessionEntries();
  let fixedPeers: ProtectedEntry[] = await siemPeers(config);
  function peersToProtect(): ProtectedEntry[] {
    return [...fixedPeers, ...consoleSessions.entries(Date.now())];
  }

  book.restore(await store.decisions.active(Date.now()));
  remediation.restore(book.active());
  engine.restore(book.active());

  const listSender = createListSender((name, command) => bus.toResponder(name, command));
  const bus = await openBusServer(
    { sensorPath: join(config.runtime_dir, 'sensor.sock'), responderPath: join(config.runtime_dir, 'responder.sock') },
    {
      onConnect(peer) {
        if (peer.role === 'sensor') {
          sensors.connected(
            peer.name,
            Array.isArray(peer.info['interfaces']) ? peer.info['interfaces'].map(String) : [],
          );
          for (const message of baselines.restore(peer.name)) bus.toSensor(peer.name, message);
        } else {
          responder.connected(String(peer.info['backend'] ?? ''));
          bus.toResponder(peer.name, { type: 'allow', entries: allowNames.entries() });
          bus.toResponder(peer.name, { type: 'protect', entries: peersToProtect() });
          listSender.start(peer.name, book.active());
        }
        http?.publishStatus();
      },
      onDisconnect(peer) {
        if (peer.role === 'sensor') sensors.disconnected(peer.name);
        else {
          responder.disconnected();
          listSender.stop(peer.name);
        }
        forwarder.push(
          healthEvent(
            config.name,
            `${peer.role} ${peer.name}`,
            'warning',
            `The ${peer.role} ${peer.name} disconnected.`,
          ),
        );
        http?.publishStatus();
      },
      onSensor: (message, peer) => {
        onSensor(message, peer.name);
      },
      onResponder,
    },
    { log },
  );
  const questions = createQuestions((command) => bus.toResponders(command));

  async function refreshAllowlist(): Promise<void> {
    const entries = await store.allowlist.active(Date.now());
    bus.toResponders({ type: 'allow', entries });
    await allowNames.set(entries);
  }

  const changes = createChangeBook({
    settings: store.settings,
    undo: (change, actor) => undoChange(change, actor, { policies, settings, book }),
    told(change, what, lifted, actor) {
      const text = `${change.summary} ${changeText(what, lifted, actor)}`;
      log.warn({ change: change.id, what, actor }, text);
      forwarder.push(healthEvent(config.name, 'changes', what === 'reverted' ? 'warning' : 'ok', text));
      if (actor === 'timer') {
        const entry = { actor, address: '', outcome: 'success', action: 'change.revert' } as const;
        void store.audit.append({ ...entry, object: change.object, before: change, after: { lifted } });
      }
      http?.publishStatus();
    },
    now: Date.now,
    log,
  });
  await changes.start();
  const backtests = createBacktestJobs({
    order: () => ({
      store: { ...config.store, homeNetworks: config.policy.home_networks },
      options: config.policy,
      active: [...engine.policies()],
      protected: [...exemptions.protected()],
    }),
    now: Date.now,
  });

  const lab = createLab({
    config,
    engine,
    policies: store.policies,
    changed: (job) => http?.publish({ topic: 'jobs', data: job }, 'updated'),
    log,
  });
  const learning = createLearning(config, {
    store,
    log,
    reloadSensors: () => bus.toSensors({ type: 'reload', what: 'models' }),
    publish: (run) => http?.publish({ topic: 'training', data: run }, 'updated'),
    toSiem: (event) => {
      forwarder.push(event);
    },
  });
  await learning.training.open();
  const intel = createIntelBook({
    options: config.detect.intel,
    blocks: createFeedBlocks({
      book,
      exemptions,
      mode: settings.mode,
      pausedUntilMs: settings.pausedUntilMs,
      now: Date.now,
    }),
    allowed: () => exemptions.allowedNow().map((entry) => entry.value),
    reload: () => bus.toSensors({ type: 'reload', what: 'intel' }),
    told: (feed, state, text) => {
      forwarder.push(healthEvent(config.name, `intel feed ${feed}`, state, text));
    },
    log,
    now: Date.now,
  });
  const parts: ServerParts = {
    lab,
    evidence,
    config,
    configuration: createConfiguration({
      config,
      captureInterfaces(interfaces) {
        for (const { name } of sensors.list()) bus.toSensor(name, { type: 'capture', running: true, interfaces });
      },
    }),
    rules,
    intel,
    store,
    book,
    exemptions,
    settings,
    sensors,
    baselines,
    policies,
    changes,
    backtests,
    canary: responder.canary,
    problems: () => problems.list(Date.now()),
    policyOptions: config.policy,
    engine,
    guards,
    forwarder,
    remediation,
    responseOptions: config.siem.requests,
    configFile: config.file,
    async siemReloaded(next) {
      fixedPeers = await siemPeers(next);
      bus.toResponders({ type: 'protect', entries: peersToProtect() });
    },
    questions,
    responder: responder.view,
    toSensor: (name, command) => bus.toSensor(name, command),
    refreshAllowlist,
    learning,
    metrics: () => ({
      ...counts,
      ...flowIntake.stats(),
      ...prefixed('ingest', ingest.stats()),
      ...prefixed('policy', engine.stats()),
      ...prefixed('store', store.stats()),
      ...prefixed('bus', bus.stats()),
      ...prefixed('correlate', correlator.stats()),
      ...learning.training.metrics(),
      ...intel.metrics(),
      ...evidence.stats(),
    }),
  };
  const ingest = await openIngest(config.ingest, {
    dataDir: config.data_dir,
    ...(config.file === undefined ? {} : { configDir: join(config.file, '..') }),
    emit(detection) {
      counts.detections++;
      correlator.push(detection);
    },
    log,
    now: Date.now,
  });
  const control = createControl(parts);
  const stopReloading = reloadOnHangup(() => control.siem.reload(), log);
  const opened = await openHttp(
    config,
    {
      store,
      control,
      version: VERSION,
      log,
      onConsoleSession(session) {
        consoleSessions.add(session.user, session.address, session.expiresMs);
        bus.toResponders({ type: 'protect', entries: peersToProtect() });
      },
      onAudit: (record) => {
        forwarder.push(auditToSiemEvent(config.name, record));
      },
    },
    join(installRoot(), 'dist', 'admin-ui'),
  );
  http = opened;
  ready(opened.ready);
  intel.tick();

  const seconds = setInterval(() => {
    const now = Date.now();
    correlator.tick(now);
    book.tick(now);
    void settings.tick(now).catch((error: unknown) => {
      log.error({ err: error }, 'The mode after learning was not set.');
    });
    learning.training.tick();
    const point = { atMs: now, ...timeline };
    for (const key of Object.keys(timeline) as (keyof typeof timeline)[]) timeline[key] = 0;
    opened.publish({ topic: 'stats', data: point }, 'updated');
    opened.publishStatus();
    void store.statistics.addTimeline(point).catch((error: unknown) => {
      log.error({ err: error }, 'The timeline was not stored.');
    });
  }, 1000);
  const hours = setInterval(() => {
    void refreshAllowlist()
      .then(() => store.retain(Date.now()))
      .then(() => lab.expire(Date.now()))
      .catch((error: unknown) => {
        log.error({ err: error }, 'Retention failed.');
      });
  }, 3_600_000);
  const minutes = setInterval(() => {
    rules.tick(Date.now());
    intel.tick();
    baselines.save();
    void refreshAllowlist().catch((error: unknown) => {
      log.error({ err: error }, 'The allowlist was not read.');
    });
  }, 60_000);
  try {
    await waitForAbort(signal);
  } finally {
    clearInterval(seconds);
    clearInterval(minutes);
    clearInterval(hours);
    await learning.training.close();
    policyWatch.close();
    allowNames.stop();
    changes.close();
    backtests.close();
    rules.close();
    intel.close();
    stopReloading();
    await ingest.close();
    await opened.close();
    await lab.close();
    await bus.close();
    flowIntake.drain();
    baselines.save();
    await store.flush();
    await forwarder.close(SHUTDOWN_MS);
    await store.close();
  }
}

function prefixed(prefix: string, stats: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(stats).map(([key, value]) => [`${prefix}_${key}`, value]));
}
