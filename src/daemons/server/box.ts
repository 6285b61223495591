import { setImmediate } from 'node:timers/promises';
import {
  busSocketPath,
  openBusServer,
  type BusServer,
  type Peer,
  type ResponderReport,
  type SensorReport,
} from '../../bus/index.js';
import type { LoadedConfig } from '../../config/index.js';
import { createCorrelator } from '../../correlate/index.js';
import type { FleetSettings } from '../../contract/fleet.js';
import type { Decision } from '../../domain/decision.js';
import type { Detection } from '../../domain/detection.js';
import { openFleetMemory, type FleetLink, type PoliciesLink } from '../../fleet/index.js';
import { createBlastTracker, createPolicyEngine } from '../../policy/index.js';
import type { Logger } from '../../util/logger.js';
import { uuid7 } from '../../util/uuid7.js';
import { openFolder } from '../folders.js';
import { waitForAbort } from '../wait.js';
import { openBoxInline } from './box-inline.js';
import { createBoxPolicies } from './box-policies.js';
import { createDecisionBook, createExemptions } from './decisions.js';
import type { FleetPeers } from './fleet-peers.js';
import { openFleet } from './fleet.js';
import type { ServerReady } from './index.js';
import { createJudge } from './judge.js';
import { liftAllowed } from './lift-allowed.js';
import { createListSender } from './list-sync.js';
import { createOutlets } from './outlets.js';
import { watchPolicies } from './policy-watch.js';
import { createResponderView } from './responder-view.js';
import { createSensorBook } from './sensors.js';
import { startChores } from './timers.js';
import { warmUpInParts } from './warm-up.js';

const BLAST = { maxAddresses: 50_000, windowMs: 86_400_000 };
const WARM_UP_ROUNDS = 3000;
/** Without responder or fleet the warm-up waits for them no longer than this. */
const WARM_UP_AFTER_MS = 10_000;

/**
 * The server daemon of a box in a fleet: what sensor and responder dial. It correlates and decides by the box's own policies,
 * so that a box that is cut off goes on, and has neither database nor console: those are the fleet's servers.
 * @param folder what `fleet join` made for it.
 * @throws AppError fleet.folder, fleet.roster, policy.invalid, bus.*
 */
export async function runBoxServer(
  config: LoadedConfig,
  folder: string,
  log: Logger,
  signal: AbortSignal,
  ready: (info: ServerReady) => void,
): Promise<void> {
  openFolder(config.data_dir, 'data_dir');
  openFolder(config.runtime_dir, 'runtime_dir');
  const memory = await openFleetMemory(config.fleet, folder, config.data_dir);
  const outlets = createOutlets(config.name, () => undefined);
  const exemptions = createExemptions();
  const sensors = createSensorBook();
  const responder = createResponderView();
  const listSender = createListSender(outlets.toResponder);
  const counts = { detections: 0, alerts: 0, problems: 0 };

  const blast = createBlastTracker({ ...BLAST, homeNetworks: config.policy.home_networks });
  const engine = createPolicyEngine(config.policy, {
    findProtected: exemptions.findProtected,
    findAllowed: exemptions.findAllowed,
    blastRadius: (network) => blast.radius(network, Date.now()),
    mode: () => config.mode,
    pausedUntilMs: paused,
    newId: uuid7,
  });
  let saved: PoliciesLink | undefined;
  const failed = (): void => void counts.problems++;
  const policies = createBoxPolicies({ dir: config.policy.dir, engine, fleet: () => saved, failed, log });
  await policies.load();
  const watch = watchPolicies({ dirs: [config.policy.dir], load: policies.load, failed, log });

  const book = createDecisionBook({
    name: config.name,
    toResponders: outlets.toResponders,
    queue: () => undefined,
    toSiem: () => undefined,
    changed: outlets.decided,
    ended: engine.ended,
    answered: () => undefined,
    released: outlets.released,
  });
  /** The decision that the detection at hand has caused. */
  let made: Decision | undefined;
  const judge = createJudge({
    engine,
    book,
    condemn: blast.condemn,
    judged(update, _verdict, decision) {
      made ??= decision;
      if (update.isNew) counts.alerts++;
    },
  });
  const correlator = createCorrelator(config.correlate, { emit: judge, newId: uuid7 });

  function paused(): number {
    return fleet.settings.current()?.pausedUntilMs ?? 0;
  }

  /** What people have set at a server. */
  function follow({ allow }: FleetSettings): void {
    exemptions.setAllowed(allow);
    outlets.toResponders({ type: 'allow', entries: allow });
    liftAllowed(book, allow, Date.now());
  }

  const inline = await openBoxInline(config, {
    ...{ engine, exemptions, outlets, pausedUntilMs: paused, push: onDetection, log },
    stopped: (drops) => fleet.drops(drops),
    problem: failed,
  });
  const { link: fleet, peers }: { link: FleetLink; peers: FleetPeers } = await openFleet(config, memory, {
    outlets,
    book,
    engine,
    sensors,
    responder,
    log,
    mode: () => config.mode,
    stats: () => ({ ...counts, paused: paused() > Date.now() ? 1 : 0, ...inline.metrics() }),
    toSensors: outlets.toSensors,
    settings: follow,
    policy: policies.heard,
    protect(entries) {
      exemptions.setPeers(entries);
      outlets.toResponders({ type: 'protect', entries });
    },
  });
  if (config.fleet.policies === 'fleet') saved = fleet.policies;
  policies.heard();
  const inForce = fleet.settings.current();
  if (inForce) follow(inForce);

  function onDetection(detection: Detection): void {
    counts.detections++;
    made = undefined;
    correlator.push(detection);
    fleet.detection(detection, made);
  }

  function onSensor(message: SensorReport, peer: Peer): void {
    switch (message.type) {
      case 'detection':
        onDetection(message.detection);
        return;
      case 'flows':
        for (const flow of message.flows) blast.note(flow);
        fleet.flows(message.flows);
        return;
      case 'evidence':
        fleet.evidence(message);
        return;
      case 'stats':
        sensors.stats(peer.name, message.stats, message.atMs);
        return;
      case 'problem':
        counts.problems++;
        log.error({ code: message.code, problem: message.message }, 'The sensor reported a problem.');
        return;
      // Learning about the traffic of a place stays with whoever trains for it.
      case 'scoring':
      case 'baselines':
    }
  }

  function onResponder(message: ResponderReport, peer: Peer): void {
    switch (message.type) {
      case 'report':
        book.report(message.reports);
        fleet.reports(message.reports);
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
        return;
      case 'synced':
        listSender.taken(peer.name, message.syncId);
        return;
      case 'answer':
    }
  }

  const bus: BusServer = await openBusServer(
    {
      sensorPath: busSocketPath(config.runtime_dir, 'sensor'),
      responderPath: busSocketPath(config.runtime_dir, 'responder'),
      inlinePath: busSocketPath(config.runtime_dir, 'inline'),
    },
    {
      onConnect(peer) {
        if (peer.role === 'inline') return inline.connected(peer);
        if (peer.role === 'sensor') {
          const { interfaces } = peer.info;
          sensors.connected(peer.name, Array.isArray(interfaces) ? interfaces.map(String) : []);
          return;
        }
        responder.connected(String(peer.info['backend'] ?? ''));
        if (fleet.roster) outlets.toResponder(peer.name, { type: 'roster', roster: fleet.roster });
        outlets.toResponder(peer.name, { type: 'protect', entries: peers.entries() });
        // Before the list: what is allowed now is not blocked for a moment.
        const settings = fleet.settings.current();
        if (settings) outlets.toResponder(peer.name, { type: 'allow', entries: settings.allow });
        listSender.start(peer.name, book.active());
      },
      onDisconnect(peer) {
        if (peer.role === 'inline') return inline.disconnected(peer);
        if (peer.role === 'sensor') {
          sensors.disconnected(peer.name);
          return;
        }
        responder.disconnected();
        listSender.stop(peer.name);
      },
      onSensor,
      onResponder,
      onInline: inline.report,
    },
    { log },
  );
  outlets.attach({ bus });
  ready({ url: `none on this box; see the servers of the fleet (${fleet.name} of ${fleet.site})` });

  /** What is in force elsewhere comes first: only then the code is made fast, a bit at a time between what arrives. */
  async function warmUp(): Promise<void> {
    const { correlate, policy } = config;
    const parts = warmUpInParts({ correlate, policy, policies: engine.policies(), rounds: WARM_UP_ROUNDS });
    while (!signal.aborted && !parts.next().done) await setImmediate();
  }
  const startedMs = Date.now();
  let isWarmUpDue = true;

  const stopChores = startChores(
    {
      second(nowMs) {
        correlator.tick(nowMs);
        book.tick(nowMs);
        fleet.tick(nowMs);
        peers.tick(nowMs);
        inline.tick(nowMs);
        const isComplete = responder.view().connected && fleet.status().connected;
        if (!isWarmUpDue || (!isComplete && nowMs - startedMs < WARM_UP_AFTER_MS)) return [];
        isWarmUpDue = false;
        return [warmUp()];
      },
      minute: () => [],
      hour: () => [],
    },
    log,
  );
  try {
    await waitForAbort(signal);
  } finally {
    stopChores();
    watch.close();
    await bus.close();
    await fleet.close();
  }
}
