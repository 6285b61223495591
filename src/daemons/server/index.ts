import { join } from 'node:path';
import { installRoot, type LoadedConfig } from '../../config/index.js';
import { openFleetMemory, readMemberFile } from '../../fleet/index.js';
import { openForwarder } from '../../forward/index.js';
import { openIngest } from '../../ingest/index.js';
import { openStore } from '../../store/index.js';
import type { InlineDrop } from '../../contract/inline.js';
import type { Mode } from '../../domain/decision.js';
import type { Detection } from '../../domain/detection.js';
import type { Logger } from '../../util/logger.js';
import { VERSION } from '../../util/version.js';
import { openFolder } from '../folders.js';
import { waitForAbort } from '../wait.js';
import { auditToSiemEvent } from './audit-events.js';
import { createBacktestJobs } from './backtests.js';
import { openBaselineBook } from './baselines.js';
import { openChanges } from './open-changes.js';
import { createConfiguration } from './configuration.js';
import { createControl } from './control.js';
import { createEvidenceStore } from './evidence.js';
import { openExempt } from './exempt.js';
import { createFeedBlocks } from './feed-blocks.js';
import { openHttp } from './http.js';
import { openServerFleet } from './fleet-server.js';
import { openInlineBook } from './inline.js';
import { dropToSiemEvent } from './inline-events.js';
import { createIntelBook } from './intel.js';
import { createLab } from './lab.js';
import { openLinks } from './links.js';
import { createOutlets } from './outlets.js';
import { openPath } from './path.js';
import { openPolicing } from './policing.js';
import { createProblemList } from './problems.js';
import { reloadOnHangup } from './reload.js';
import { createRuleBook } from './rules.js';
import { loadSettings } from './settings.js';
import { createSuppressionBook } from './suppressions.js';
import { startChores } from './timers.js';
import { createLearning } from './training-parts.js';

/** What the supervisor prints when the server is up. */
export interface ServerReady {
  url: string;
  /** In force: the operator's last choice counts more than the file. Undefined: the one in the file. */
  mode?: Mode;
  /** Set on the very first start. */
  firstLogin?: { username: string; password: string };
}

const SHUTDOWN_MS = 5000;
/** Sessions that ended are forgotten after this time, milliseconds. */
const SESSIONS_KEPT_MS = 30 * 86_400_000;
/** Actions of the audit trail after which sessions may be over. */
const ENDS_SESSIONS = /^(auth\.(logout|password|refresh)|session\.|user\.)/;

/**
 * The server daemon: detections to alerts, alerts to decisions, everything to store, console and SIEM. Parts are opened in
 * the order in which they need each other, sensors and responders are let in when all of that works, people last.
 */
export async function runServer(
  config: LoadedConfig,
  log: Logger,
  signal: AbortSignal,
  ready: (info: ServerReady) => void,
): Promise<void> {
  const { folder } = config.fleet;
  const member = folder === undefined ? undefined : readMemberFile(folder);
  openFolder(config.data_dir, 'data_dir');
  openFolder(config.runtime_dir, 'runtime_dir');
  const memory = folder === undefined ? undefined : await openFleetMemory(config.fleet, folder, config.data_dir);
  const configDir = config.file === undefined ? {} : { configDir: join(config.file, '..') };
  const now = Date.now;
  const storeOptions = { ...config.store, homeNetworks: config.policy.home_networks };
  const waitingFile = join(config.data_dir, 'waiting.journal');
  const store = await openStore({ ...storeOptions, waitingFile }, { log });
  const forwarder = await openForwarder(config.siem, {
    dataDir: config.data_dir,
    log,
    now,
    hostName: config.name,
    ...configDir,
  });
  const outlets = createOutlets(config.name, (event) => {
    forwarder.push(event);
  });
  const problems = createProblemList();
  const settings = await loadSettings(store.settings, config.mode, outlets.publishStatus);

  // Who is exempt, what is in force, and the path from a detection to a decision.
  const exempt = await openExempt(config, { store, outlets, log });
  const { exemptions } = exempt;
  const policing = await openPolicing(config, { store, settings, exemptions, outlets, problems, log });
  const { engine, policies } = policing;
  const evidenceBytes = config.capture.evidence.storeMiB * 1024 * 1024;
  const evidence = createEvidenceStore(join(config.data_dir, 'evidence'), evidenceBytes, log);
  const path = await openPath(config, { store, policing, evidence, outlets });
  const { book } = path;
  const suppressions = createSuppressionBook(store, path.correlator.suppressions, now);
  await suppressions.refresh(now());

  // What the sensors work with.
  const rules = createRuleBook({
    options: config.detect.signature,
    reload: () => outlets.toSensors({ type: 'reload', what: 'rules' }),
    log,
    now,
  });
  const { learnDays, maxHosts } = config.detect.behaviour.baseline;
  const baselines = openBaselineBook({ dir: join(config.data_dir, 'baselines'), learnDays, maxHosts }, log);
  const learning = createLearning(config, {
    store,
    log,
    reloadSensors: () => outlets.toSensors({ type: 'reload', what: 'models' }),
    publish(run) {
      outlets.publish({ topic: 'training', data: run }, 'updated');
    },
    toSiem: outlets.toSiem,
    isScheduler: () => fleet.isScheduler(),
  });
  await learning.training.open();
  const { mode, pausedUntilMs } = settings;
  const intel = createIntelBook({
    options: config.detect.intel,
    blocks: createFeedBlocks({
      ...{ book, exemptions, mode, pausedUntilMs, now },
      longestSecs: config.enforce.guard.longest_duration_secs,
    }),
    allowed: () => exemptions.allowedNow().map((entry) => entry.value),
    reload: () => outlets.toSensors({ type: 'reload', what: 'intel' }),
    told(feed, state, text) {
      outlets.health(`intel feed ${feed}`, state, text);
    },
    log,
    now,
  });

  const push = (detection: Detection): void => path.correlator.push(detection);
  const stopped = (drops: readonly InlineDrop[]): void => {
    for (const drop of drops) outlets.toSiem(dropToSiemEvent(config.name, drop));
  };
  const judging = { settings, engine, exempt, store, outlets, problems, push, stopped, log };
  const inline = await openInlineBook(config, judging);

  const { hits } = rules;
  const deps = { path, exempt, baselines, evidence, inline, learning, hits, problems, store, outlets, log };
  const links = await openLinks(config, deps);
  const { bus, sensors, responder, questions } = links;
  // Before the fleet: what was not confirmed is taken back on all servers.
  const owner = member?.name;
  const changes = await openChanges({ store, policies, settings, book, inline, outlets, owner, log });
  inline.attach(changes);
  const parts = { path, engine, policies, changes, problems, links, settings, exempt, hits, evidence };
  const served = { ...parts, memory, store, outlets, log };
  const fleet = await openServerFleet(config, served);
  const ingest = await openIngest(config.ingest, {
    dataDir: config.data_dir,
    ...configDir,
    emit(detection) {
      path.counts.detections++;
      path.correlator.push(detection);
    },
    onProblem(source, problem) {
      const text = problem === '' ? `The source ${source} works.` : `The source ${source} does not work: ${problem}.`;
      outlets.health(`ingest ${source}`, problem === '' ? 'ok' : 'warning', text);
    },
    log,
    now,
  });

  // What people work with.
  const backtests = createBacktestJobs({
    order: () => ({
      store: storeOptions,
      options: config.policy,
      active: [...engine.policies()],
      protected: [...exemptions.protected()],
    }),
    now,
  });
  const lab = createLab({
    config,
    engine,
    policies: store.policies,
    changed(job) {
      outlets.publish({ topic: 'jobs', data: job }, 'updated');
    },
    log,
  });
  const configuration = createConfiguration({
    config,
    captureInterfaces(interfaces) {
      for (const { name } of sensors.list()) outlets.toSensor(name, { type: 'capture', running: true, interfaces });
    },
  });
  const control = createControl({
    lab,
    evidence,
    config,
    configuration,
    rules,
    intel,
    suppressions: suppressions.control,
    inline,
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
    problems: () => problems.list(now()),
    policyOptions: config.policy,
    engine,
    guards: policing.guards,
    forwarder,
    remediation: path.remediation,
    responseOptions: config.siem.requests,
    configFile: config.file,
    siemReloaded: exempt.follow,
    questions,
    responder: responder.view,
    toSensor: outlets.toSensor,
    refreshAllowlist: exempt.refresh,
    learning,
    log,
    fleet: fleet.view,
    metrics: () => ({
      ...path.counts,
      ...path.flows.stats(),
      ...prefixed('ingest', ingest.stats()),
      ...prefixed('policy', engine.stats()),
      ...prefixed('store', store.stats()),
      ...prefixed('bus', bus.stats()),
      ...prefixed('correlate', path.correlator.stats()),
      ...learning.training.metrics(),
      ...intel.metrics(),
      ...inline.metrics(),
      ...fleet.metrics(),
      ...evidence.stats(),
    }),
  });
  const stopReloading = reloadOnHangup(() => control.siem.reload(), log);
  const http = await openHttp(
    config,
    {
      store,
      control,
      version: VERSION,
      log,
      onConsoleSession: exempt.addSession,
      onAudit(record) {
        outlets.toSiem(auditToSiemEvent(config.name, record));
        if (ENDS_SESSIONS.test(record.action)) exempt.sessionsEnded();
      },
    },
    join(installRoot(), 'dist', 'admin-ui'),
  );
  outlets.attach({ http });
  ready({ ...http.ready, mode: settings.mode() });
  intel.tick();

  const stopChores = startChores(
    {
      second(nowMs) {
        path.correlator.tick(nowMs);
        book.tick(nowMs);
        inline.tick(nowMs);
        learning.training.tick();
        fleet.tick(nowMs);
        const point = { atMs: nowMs, ...path.takeSums() };
        outlets.publish({ topic: 'stats', data: point }, 'updated');
        outlets.publishStatus();
        const shared = store.kind === 'mysql' ? settings.refresh() : undefined;
        return [settings.tick(nowMs), shared, store.statistics.addTimeline(point)];
      },
      minute(nowMs) {
        rules.tick(nowMs);
        if (fleet.isScheduler()) intel.tick();
        baselines.save();
        return [exempt.refresh(), suppressions.refresh(nowMs)];
      },
      hour: (nowMs) => [
        fleet.isScheduler() ? store.retain(nowMs) : undefined,
        store.sessions.purge(nowMs - SESSIONS_KEPT_MS),
        lab.expire(nowMs),
      ],
    },
    log,
  );
  try {
    await waitForAbort(signal);
  } finally {
    stopChores();
    await learning.training.close();
    policing.close();
    exempt.close();
    changes.close();
    backtests.close();
    rules.close();
    intel.close();
    stopReloading();
    await ingest.close();
    await http.close();
    await lab.close();
    await bus.close();
    path.flows.drain();
    await fleet.close();
    baselines.save();
    await store.flush().catch((error: unknown) => {
      log.error({ err: error }, 'The database does not take what waits.');
    });
    await forwarder.close(SHUTDOWN_MS);
    await store.close();
  }
}

function prefixed(prefix: string, stats: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(stats).map(([key, value]) => [`${prefix}_${key}`, value]));
}
