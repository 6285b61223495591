import type { LoadedConfig } from '../../config/index.js';
import type { FleetPolicy, FleetSettings, PoliciesInForce } from '../../contract/fleet.js';
import type { ResponderCommand, SensorCommand } from '../../contract/ipc.js';
import type { Mode, ProtectedEntry } from '../../domain/decision.js';
import { loadFleetLink, type FleetLink, type FleetLinkDeps, type FleetMemory } from '../../fleet/index.js';
import { policyDigest, type Policy, type PolicyEngine } from '../../policy/index.js';
import type { Logger } from '../../util/logger.js';
import { VERSION } from '../../util/version.js';
import type { DecisionBook } from './decisions.js';
import { createFleetPeers, type FleetPeers } from './fleet-peers.js';
import type { Outlets } from './outlets.js';
import type { ResponderView } from './responder-view.js';
import type { SensorBook } from './sensors.js';

export interface FleetDeps {
  outlets: Outlets;
  book: DecisionBook;
  engine: PolicyEngine;
  sensors: SensorBook;
  responder: ResponderView;
  log: Logger;
  mode(): Mode;
  stats(): Record<string, number>;
  toSensors(command: SensorCommand): number;
  /** Allowlist and pause were set at another member. */
  settings(settings: FleetSettings): void;
  /** A policy was saved at another server. */
  policy(name: string, policy: FleetPolicy): void;
  /** Who of the fleet must not be blocked has changed. */
  protect(entries: ProtectedEntry[]): void;
  server?: FleetLinkDeps['server'];
}

/**
 * The server daemon's end of the fleet: decisions of others go the same way as our own, and what is in force is taken up
 * from the box's own copy before the bus is there.
 */
export async function openFleet(
  config: LoadedConfig,
  memory: FleetMemory,
  deps: FleetDeps,
): Promise<{ link: FleetLink; peers: FleetPeers }> {
  const { openFleetLink } = await loadFleetLink();
  const { outlets, book, engine, sensors, responder, log } = deps;
  const digest = digestOf(engine);

  function policies(): PoliciesInForce {
    // Servers always decide alike; whether a box follows them is said by its own configuration.
    const source = link.role === 'server' ? 'fleet' : config.fleet.policies;
    const saved = source === 'own' ? [] : link.policies.current().map(([, policy]) => policy.savedMs);
    return { count: engine.policies().length, digest: digest(), source, savedMs: Math.max(0, ...saved) };
  }
  const peers = createFleetPeers(() => link, deps.protect);
  const link: FleetLink = openFleetLink(config.fleet, {
    memory,
    version: VERSION,
    log,
    health() {
      const list = sensors.list();
      const sum = (of: (s: (typeof list)[number]) => number): number => list.reduce((n, s) => n + of(s), 0);
      const { connected, backend, desired, enforced } = responder.view();
      return {
        mode: deps.mode(),
        sensor: {
          connected: list.some((s) => s.connected),
          interfaces: list.flatMap((s) => s.interfaces),
          packets: sum((s) => s.packets),
          bytes: 0,
          kernelDrops: sum((s) => s.kernelDrops),
          flows: sum((s) => s.flows),
        },
        responder: { connected, backend, desired, enforced },
        policies: policies(),
        stats: deps.stats(),
      };
    },
    hasResponder: () => responder.view().connected,
    adopt(decision) {
      // A box may always do less than the fleet asks.
      const own = { ...decision, simulated: deps.mode() !== 'enforce' };
      engine.restore([own]);
      book.adopt(own);
    },
    lift(id, actor, reason, forgive) {
      book.release(id, actor, reason, forgive);
    },
    forged(signer, why, id) {
      outlets.health(
        `fleet ${signer}`,
        'failed',
        `A decision in the name of ${signer} was refused: ${why} (${id}).`,
        'high',
      );
    },
    roster(roster) {
      const command: ResponderCommand = { type: 'roster', roster };
      outlets.toResponders(command);
    },
    settings: deps.settings,
    policy: deps.policy,
    addresses: () => peers.changed(),
    ...(deps.server === undefined ? {} : { server: deps.server }),
  });
  outlets.attach({ fleet: link });
  const known = link.inForce(Date.now()).map((d) => ({ ...d, simulated: deps.mode() !== 'enforce' }));
  book.restore(known);
  engine.restore(known);
  return { link, peers };
}

/** Worked out again only when the policies are others: it is asked for once a second. */
function digestOf(engine: PolicyEngine): () => string {
  let of: readonly Policy[] | undefined;
  let digest = '';
  return () => {
    if (of !== engine.policies()) digest = policyDigest((of = engine.policies()));
    return digest;
  };
}
