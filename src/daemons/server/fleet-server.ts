import type { LoadedConfig } from '../../config/index.js';
import type { Fleet } from '../../contract/http.js';
import type { Heartbeat } from '../../contract/fleet.js';
import type { EnforcementReport } from '../../domain/decision.js';
import type { FleetLink, FleetMemory } from '../../fleet/index.js';
import type { PolicyEngine } from '../../policy/index.js';
import type { Store } from '../../store/index.js';
import type { Logger } from '../../util/logger.js';
import type { EvidenceStore } from './evidence.js';
import type { ExemptBook } from './exempt.js';
import { createFleetPolicies } from './fleet-policies.js';
import { createFleetSettings } from './fleet-settings.js';
import type { FleetPeers } from './fleet-peers.js';
import { openFleet } from './fleet.js';
import { dropToSiemEvent } from './inline-events.js';
import type { Links } from './links.js';
import type { ChangeBook } from './changes.js';
import type { Outlets } from './outlets.js';
import type { Settings } from './parts.js';
import type { PolicyBook } from './policies.js';
import type { ProblemList } from './problems.js';
import type { DecisionPath } from './path.js';
import type { RuleHits } from './rules-hits.js';
import { toFleetView } from './fleet-view.js';

interface FleetServerDeps {
  path: DecisionPath;
  engine: PolicyEngine;
  policies: PolicyBook;
  changes: ChangeBook;
  problems: ProblemList;
  links: Links;
  settings: Settings;
  exempt: ExemptBook;
  hits: RuleHits;
  evidence: EvidenceStore;
  /** Without one this server is alone. */
  memory: FleetMemory | undefined;
  store: Store;
  outlets: Outlets;
  log: Logger;
}

/** The fleet as a server sees it; without one, this server is alone and does everything. */
export interface FleetControl {
  view(): Fleet;
  /** Nightly work is this server's. */
  isScheduler(): boolean;
  tick(nowMs: number): void;
  metrics(): Record<string, number>;
  close(): Promise<void>;
}

const ALONE: FleetControl = {
  view: () => toFleetView(undefined),
  isScheduler: () => true,
  tick: () => undefined,
  metrics: () => ({}),
  close: () => Promise.resolve(),
};

export async function openServerFleet(config: LoadedConfig, deps: FleetServerDeps): Promise<FleetControl> {
  if (deps.memory === undefined) return ALONE;
  const { path, links, outlets, store, log } = deps;
  const { sensors, responder } = links;

  function onReports(member: string, reports: EnforcementReport[]): void {
    const counted = reports.filter((report) => {
      const issuer = path.book.get(report.decisionId)?.proof?.issuer;
      // In force somewhere is in force; refused counts from the box that made it. What ends here ends by our own clock.
      return report.enforcement === 'applied' || (issuer === member && report.enforcement === 'rejected');
    });
    if (counted.length > 0) path.book.report(counted);
  }

  const seen = new Set<string>();
  function heard({ name, sensor, atMs }: Heartbeat): void {
    if (name === link.name) return;
    if (!seen.has(name)) sensors.connected(name, sensor.interfaces);
    seen.add(name);
    const stats = { ...sensor, interfaces: sensor.interfaces.join(','), flow_flows: sensor.flows };
    const delta = sensors.stats(name, stats, atMs);
    if (!link.serverSide?.isScheduler()) return;
    path.sums.packets += delta.packets;
    path.sums.bytes += delta.bytes;
    path.sums.kernelDrops += delta.kernelDrops;
  }

  const shared = createFleetSettings({
    exempt: deps.exempt,
    settings: deps.settings,
    book: path.book,
    link: () => link.settings,
    isScheduler: () => link.serverSide?.isScheduler() ?? false,
    log,
  });
  const policies = createFleetPolicies({
    policies: deps.policies,
    versionOf: (name) => deps.engine.policies().find((policy) => policy.name === name)?.version ?? 0,
    link: () => link.policies,
    supersede: (name) => deps.changes.supersede('policy', name),
    audit: store.audit,
    failed(message) {
      const problem = { atMs: Date.now(), component: 'policies', severity: 'medium' as const };
      deps.problems.add({ ...problem, code: 'policy.invalid', message });
      outlets.health('policies', 'warning', message);
    },
    log,
  });
  const { link, peers }: { link: FleetLink; peers: FleetPeers } = await openFleet(config, deps.memory, {
    outlets,
    book: path.book,
    engine: deps.engine,
    sensors,
    responder,
    log,
    mode: deps.settings.mode,
    stats: () => ({ ...path.counts }),
    toSensors: outlets.toSensors,
    settings: shared.heard,
    policy: (name) => policies.heard(name),
    protect: (entries) => deps.exempt.setFleet(entries),
    server: {
      take(work, member) {
        switch (work.type) {
          case 'detection':
            path.counts.detections++;
            deps.hits.note(work.detection, Date.now());
            path.push({ ...work.detection, sensor: member }, work.decision);
            return;
          case 'evidence':
            deps.evidence.add(work);
            return;
          case 'drops':
            for (const drop of work.drops) outlets.toSiem(dropToSiemEvent(member, drop));
            return;
          case 'flows':
            path.counts.flows += work.flows.length;
            path.sums.flows += work.flows.length;
            path.flows.push(member, work.flows);
        }
      },
      async stored() {
        path.flows.drain();
        await store.flush();
      },
      reports: onReports,
      heard,
    },
  });

  return {
    view: () => toFleetView(link),
    isScheduler: () => link.serverSide?.isScheduler() ?? true,
    tick(nowMs) {
      link.tick(nowMs);
      shared.tick();
      policies.tick();
      peers.tick(nowMs);
      link.peers.set(deps.exempt.ownPeers());
      const alive = new Set(link.serverSide?.members().flatMap((m) => (m.alive ? [m.beat.name] : [])));
      for (const name of seen) {
        if (alive.has(name)) continue;
        seen.delete(name);
        sensors.disconnected(name);
        outlets.health(
          `fleet ${name}`,
          'warning',
          `Nothing was heard of ${name} for some seconds; it goes on by itself.`,
        );
      }
    },
    metrics: () => ({
      fleet_connected: link.status().connected ? 1 : 0,
      fleet_members_alive: link.serverSide?.members().filter((m) => m.alive).length ?? 0,
      fleet_scheduler: link.serverSide?.isScheduler() ? 1 : 0,
      ...Object.fromEntries(Object.entries(link.serverSide?.stats() ?? {}).map(([k, v]) => [`fleet_work_${k}`, v])),
    }),
    close: () => link.close(),
  };
}
