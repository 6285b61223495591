import type { LoadedConfig } from '../../config/index.js';
import type { FleetSettings } from '../../contract/fleet.js';
import type { ResponderCommand, SensorCommand } from '../../contract/ipc.js';
import type { Mode } from '../../domain/decision.js';
import { openFleetLink, type FleetLink, type FleetLinkDeps } from '../../fleet/index.js';
import type { PolicyEngine } from '../../policy/index.js';
import type { Logger } from '../../util/logger.js';
import { VERSION } from '../../util/version.js';
import type { DecisionBook } from './decisions.js';
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
  server?: FleetLinkDeps['server'];
}

/**
 * The server daemon's end of the fleet: decisions of others go the same way as our own, and what is in force is taken up
 * from the box's own copy before the bus is there.
 */
export function openFleet(config: LoadedConfig, folder: string, deps: FleetDeps): FleetLink {
  const { outlets, book, engine, sensors, responder, log } = deps;
  const link = openFleetLink(config.fleet, {
    folder,
    dataDir: config.data_dir,
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
    ...(deps.server === undefined ? {} : { server: deps.server }),
  });
  outlets.attach({ fleet: link });
  const known = link.inForce(Date.now()).map((d) => ({ ...d, simulated: deps.mode() !== 'enforce' }));
  book.restore(known);
  engine.restore(known);
  return link;
}
