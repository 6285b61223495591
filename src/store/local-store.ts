import { statSync } from 'node:fs';
import type { Incident } from '../domain/incident.js';
import type { Logger } from '../util/logger.js';
import { openDatabase, type Database } from './data-source.js';
import { toStoreError, withStoreErrors } from './errors.js';
import type { AlertAnswer, AlertWrite } from './map-alert.js';
import type { StoreOptions } from './options.js';
import { createSessionRepository, createTokenRepository, createUserRepository } from './repositories/accounts.js';
import { createAlertRepository, writeAlerts } from './repositories/alerts.js';
import { createAuditRepository } from './repositories/audit.js';
import {
  createDecisionRepository,
  withoutEnded,
  writeDecisions,
  type DecisionWrite,
} from './repositories/decisions.js';
import { createFlowRepository, writeFlows, type FlowWrite } from './repositories/flows.js';
import { holdSessions } from './repositories/held-sessions.js';
import { createIncidentRepository, writeIncidents } from './repositories/incidents.js';
import {
  createAllowlistRepository,
  createLabelRepository,
  createPolicyRepository,
  createSettingRepository,
} from './repositories/knowledge.js';
import { createResponseRequestRepository } from './repositories/response-requests.js';
import { createSampleRepository, createTrainingRepository } from './repositories/training.js';
import { createPasskeyRepository } from './repositories/passkeys.js';
import { createHostRepository } from './repositories/hosts.js';
import { createSuppressionRepository } from './repositories/suppressions.js';
import { createViewRepository } from './repositories/views.js';
import { createStatisticsRepository, writeTimeline, type TimelinePoint } from './repositories/statistics.js';
import { applyRetention } from './retention.js';
import { createAlertRollup } from './alert-rollup.js';
import { createHostRollup } from './host-rollup.js';
import type { HostHourRow } from './entities/host.js';
import type { RollupRow } from './entities/traffic.js';
import { createKeeper } from './keeper.js';
import { createFlowRollup } from './rollup.js';
import type { Store } from './store.js';
import { giveBack, openWaitingFile } from './waiting-file.js';
import { createWriteBehind } from './write-behind.js';

/** Sums of minutes and hours that wait for the database. */
const MAX_KEPT_SUMS = 50_000;
/** Seconds of the timeline that wait for the database: a day. */
const MAX_KEPT_POINTS = 86_400;

/** Counters come again, and a feed makes its blocks again. */
const isStep = ({ decision, step }: DecisionWrite): boolean => step !== undefined && decision.origin !== 'feed';

const MOVED =
  'the database file was moved, removed or replaced while it is in use: put it back, or what is written now is lost at the next start';

function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}

/** A full disk does not keep the server from starting: what is set aside is enough to open the database. */
async function openEvenFull(options: StoreOptions): Promise<Database> {
  try {
    return await openDatabase(options);
  } catch (error) {
    const { waitingFile } = options;
    const isFull = toStoreError(error).code === 'store.full';
    if (!isFull || waitingFile === undefined || !giveBack(waitingFile)) throw error;
    return openDatabase(options);
  }
}

/**
 * Opens the database in this thread, brings its schema up to date, and starts the write-behind queues.
 * @throws AppError store.*
 */
export async function openLocalStore(options: StoreOptions, log: Logger): Promise<Store> {
  const db = await openEvenFull(options);
  const file = options.kind === 'sqlite' && options.path !== ':memory:' ? options.path : undefined;
  const inode = file === undefined ? undefined : inodeOf(file);
  const queueOptions = { batchRows: options.batchRows, batchMs: options.batchMs, log };
  const rare = { ...queueOptions, maxQueued: options.maxQueuedAlerts };
  const alerts = createWriteBehind<AlertWrite | AlertAnswer>({
    ...rare,
    name: 'alerts',
    write: (batch) => writeAlerts(db, batch),
  });
  const incidents = createWriteBehind<Incident>({
    ...rare,
    name: 'incidents',
    write: (batch) => writeIncidents(db, batch),
  });
  const waiting = options.waitingFile === undefined ? undefined : openWaitingFile(options.waitingFile, log, isStep);
  const decisions = createWriteBehind<DecisionWrite>({
    ...rare,
    name: 'decisions',
    write: (batch) => writeDecisions(db, batch),
    file: waiting,
    found: await withoutEnded(db, waiting?.found ?? []),
  });
  const flows = createWriteBehind<FlowWrite>({
    ...queueOptions,
    name: 'flows',
    maxQueued: options.maxQueuedFlows,
    write: (batch) => writeFlows(db, batch),
  });
  const timeline = createWriteBehind<TimelinePoint>({
    ...queueOptions,
    name: 'timeline',
    maxQueued: MAX_KEPT_POINTS,
    write: (batch) => writeTimeline(db, batch),
  });
  const queues = { alerts, incidents, decisions, flows, timeline };

  const rollup = createFlowRollup();
  const alertRollup = createAlertRollup();
  const sums = createKeeper<RollupRow>(MAX_KEPT_SUMS, (rows) => statistics.addRollups(rows));
  const hostSums = createKeeper<HostHourRow>(MAX_KEPT_SUMS, (rows) => hosts.add(rows));
  const writeRollups = async (nowMs: number): Promise<void> => {
    await sums.write([...rollup.take(nowMs), ...alertRollup.take()]);
    await hostSums.write(hostRollup.take());
  };
  const hostRollup = createHostRollup(options.homeNetworks ?? []);
  const hosts = createHostRepository(db, () => writeRollups(Date.now()).catch(() => undefined));
  const statistics = createStatisticsRepository(db, {
    push: timeline.push,
    // The minute that runs too: a box that has just started shows what it sees.
    async fresh() {
      await timeline.settle();
      await writeRollups(Infinity).catch(() => undefined);
    },
  });
  const rollupTimer = setInterval(() => {
    writeRollups(Date.now()).catch((error: unknown) => {
      log.error({ err: error }, 'flow sums were not written');
    });
  }, 10_000);
  rollupTimer.unref();

  async function flush(): Promise<void> {
    for (const queue of Object.values(queues)) await queue.flush();
  }

  return {
    kind: db.kind,
    alerts: withStoreErrors(createAlertRepository(db, alerts, alertRollup)),
    incidents: withStoreErrors(createIncidentRepository(db, incidents)),
    decisions: withStoreErrors(createDecisionRepository(db, decisions)),
    flows: withStoreErrors(
      createFlowRepository(db, (write) => {
        rollup.add(write.flow, Date.now());
        hostRollup.add(write.flow);
        return flows.push(write);
      }),
    ),
    labels: withStoreErrors(createLabelRepository(db)),
    allowlist: withStoreErrors(createAllowlistRepository(db)),
    users: withStoreErrors(createUserRepository(db)),
    sessions: withStoreErrors(holdSessions(createSessionRepository(db))),
    tokens: withStoreErrors(createTokenRepository(db)),
    audit: withStoreErrors(createAuditRepository(db)),
    settings: withStoreErrors(createSettingRepository(db)),
    hosts: withStoreErrors(hosts),
    views: withStoreErrors(createViewRepository(db)),
    suppressions: withStoreErrors(createSuppressionRepository(db)),
    passkeys: withStoreErrors(createPasskeyRepository(db)),
    policies: withStoreErrors(createPolicyRepository(db)),
    responseRequests: withStoreErrors(createResponseRequestRepository(db)),
    statistics: withStoreErrors(statistics),
    training: withStoreErrors(createTrainingRepository(db)),
    samples: withStoreErrors(createSampleRepository(db)),
    retain: (nowMs) =>
      applyRetention(db, options.retention, nowMs).catch((error: unknown) => Promise.reject(toStoreError(error))),
    async health() {
      // An open file is written on when its name is gone; nobody would find it again.
      if (file !== undefined && inodeOf(file) !== inode) return { ok: false, detail: MOVED };
      try {
        await db.manager.query('SELECT 1');
        // A full disk is read from as ever.
        const unwritten = Object.values(queues).find((queue) => queue.trouble() !== undefined);
        if (unwritten) return { ok: false, detail: toStoreError(unwritten.trouble()).message };
        const failing = Object.entries(queues).filter(([, queue]) => queue.stats().queued > options.batchRows * 20);
        const detail = failing.length === 0 ? db.kind : `behind: ${failing.map(([name]) => name).join(', ')}`;
        return { ok: failing.length === 0, detail };
      } catch (error) {
        return { ok: false, detail: toStoreError(error).message };
      }
    },
    stats() {
      const stats: Record<string, number> = {};
      for (const [name, queue] of Object.entries(queues)) {
        for (const [counter, value] of Object.entries(queue.stats())) stats[`store_${name}_${counter}`] = value;
      }
      return stats;
    },
    flush: () => flush().catch((error: unknown) => Promise.reject(toStoreError(error))),
    async close() {
      clearInterval(rollupTimer);
      const last = [writeRollups(Infinity), ...Object.values(queues).map((queue) => queue.close())];
      const failed = (await Promise.allSettled(last)).find((result) => result.status === 'rejected');
      if (failed) log.error({ err: failed.reason as unknown }, 'the last rows were not written');
      await db.source.destroy();
    },
  };
}
