import {
  busSocketPath,
  openBusServer,
  type BusServer,
  type Peer,
  type ResponderReport,
  type SensorReport,
} from '../../bus/index.js';
import type { LoadedConfig } from '../../config/index.js';
import type { Store } from '../../store/index.js';
import type { Logger } from '../../util/logger.js';
import type { BaselineBook } from './baselines.js';
import type { EvidenceStore } from './evidence.js';
import type { ExemptBook } from './exempt.js';
import { createListSender } from './list-sync.js';
import type { InlineBook } from './inline.js';
import type { Outlets } from './outlets.js';
import type { DecisionPath } from './path.js';
import type { ProblemList } from './problems.js';
import { createQuestions, type Questions } from './questions.js';
import { createResponderView, type ResponderView } from './responder-view.js';
import type { RuleHits } from './rules-hits.js';
import { createSensorBook, type SensorBook } from './sensors.js';
import type { Learning } from './training-parts.js';

/** The server's ends of the bus: what sensors and responders say, and who is there. */
export interface Links {
  bus: BusServer;
  sensors: SensorBook;
  responder: ResponderView;
  questions: Questions;
}

interface LinksDeps {
  path: DecisionPath;
  exempt: ExemptBook;
  baselines: BaselineBook;
  evidence: EvidenceStore;
  inline: InlineBook;
  learning: Learning;
  hits: RuleHits;
  problems: ProblemList;
  store: Store;
  outlets: Outlets;
  log: Logger;
}

/** @throws AppError bus.* */
export async function openLinks(config: LoadedConfig, deps: LinksDeps): Promise<Links> {
  const { path, exempt, baselines, outlets, log } = deps;
  const sensors = createSensorBook();
  const responder = createResponderView();
  const questions = createQuestions(outlets.toResponders);
  const listSender = createListSender(outlets.toResponder);

  function onSensor(message: SensorReport, sensor: string): void {
    switch (message.type) {
      case 'detection':
        path.counts.detections++;
        deps.hits.note(message.detection, Date.now());
        path.correlator.push(message.detection);
        return;
      case 'flows':
        path.counts.flows += message.flows.length;
        path.sums.flows += message.flows.length;
        path.flows.push(sensor, message.flows);
        return;
      case 'evidence':
        deps.evidence.add(message);
        return;
      case 'scoring':
        deps.learning.onScoring(message, sensor);
        return;
      case 'stats': {
        const delta = sensors.stats(sensor, message.stats, message.atMs);
        path.sums.packets += delta.packets;
        path.sums.bytes += delta.bytes;
        path.sums.kernelDrops += delta.kernelDrops;
        return;
      }
      case 'baselines':
        baselines.update(sensor, message.hosts);
        return;
      case 'problem':
        path.counts.problems++;
        log.error({ sensor, code: message.code, problem: message.message }, 'A sensor reported a problem.');
        outlets.health(`sensor ${sensor}`, 'failed', message.message);
    }
  }

  function onResponder(message: ResponderReport, peer: Peer): void {
    switch (message.type) {
      case 'report':
        path.book.report(message.reports);
        return;
      case 'state':
        responder.state(message);
        exempt.exemptions.setProtected(message.protected);
        return;
      case 'hits':
        path.book.hits(message.hits, message.atMs);
        return;
      case 'incident':
        log.error({ code: message.code, details: message.details }, 'The responder reported an incident.');
        onIncident(message);
        outlets.health('responder', 'failed', message.message, message.severity);
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
    deps.problems.add({ atMs: Date.now(), component: 'responder', severity, code, message });
    const entry = { actor: 'responder', address: '', outcome: 'success', action: code, object: 'kernel' } as const;
    void deps.store.audit.append({ ...entry, reason: message, after: details }).catch((error: unknown) => {
      log.error({ err: error }, 'An incident of the responder was not audited.');
    });
    outlets.publishStatus();
  }

  function onConnect(peer: Peer): void {
    if (peer.role === 'inline') return deps.inline.connected(peer);
    if (peer.role === 'sensor') {
      const { interfaces } = peer.info;
      sensors.connected(peer.name, Array.isArray(interfaces) ? interfaces.map(String) : []);
      for (const message of baselines.restore(peer.name)) outlets.toSensor(peer.name, message);
    } else {
      responder.connected(String(peer.info['backend'] ?? ''));
      outlets.toResponder(peer.name, { type: 'allow', entries: exempt.allowed() });
      outlets.toResponder(peer.name, { type: 'protect', entries: exempt.peers() });
      listSender.start(peer.name, path.book.active());
    }
    outlets.publishStatus();
  }

  function onDisconnect(peer: Peer): void {
    if (peer.role === 'inline') return deps.inline.disconnected(peer);
    if (peer.role === 'sensor') sensors.disconnected(peer.name);
    else {
      responder.disconnected();
      listSender.stop(peer.name);
    }
    outlets.health(`${peer.role} ${peer.name}`, 'warning', `The ${peer.role} ${peer.name} disconnected.`);
    outlets.publishStatus();
  }

  const bus = await openBusServer(
    {
      sensorPath: busSocketPath(config.runtime_dir, 'sensor'),
      responderPath: busSocketPath(config.runtime_dir, 'responder'),
      inlinePath: busSocketPath(config.runtime_dir, 'inline'),
    },
    {
      onConnect,
      onDisconnect,
      onSensor: (message, peer) => {
        onSensor(message, peer.name);
      },
      onResponder,
      onInline: deps.inline.report,
    },
    { log },
  );
  outlets.attach({ bus });
  return { bus, sensors, responder, questions };
}
