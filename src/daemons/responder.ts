import { busSocketPath, runBusClient, type BusClient, type Incoming, type Outgoing } from '../bus/index.js';
import type { LoadedConfig } from '../config/index.js';
import { createResponder } from '../enforce/index.js';
import { AppError, errorMessage } from '../util/errors.js';
import type { Logger } from '../util/logger.js';
import { VERSION } from '../util/version.js';
import { runWholeWayCanary } from './canary/whole-way.js';
import { createFleetGate } from './fleet-gate.js';
import { openFolder } from './folders.js';
import { warmUpResponder } from './responder-warm-up.js';
import { waitForAbort } from './wait.js';

const MAX_EARLY = 1000;
/** Enough for the compiler to have seen the whole way; takes a fifth of a second, with the blocks in force already. */
const WARM_UP_ROUNDS = 2000;

/**
 * The responder daemon: decisions of the server into the kernel. It restores its journal before it dials the server, so
 * blocks are in force with the server dead. Resolves when the signal aborts.
 */
export async function runResponder(
  config: LoadedConfig,
  log: Logger,
  signal: AbortSignal,
  ready: () => void,
): Promise<void> {
  let bus: BusClient<'responder'> | undefined = undefined;
  /** What happens while the journal is restored is told as soon as the server can be. */
  const early: Outgoing<'responder'>[] = [];
  const send = (message: Outgoing<'responder'>): void => {
    if (bus) bus.send(message);
    else if (early.length < MAX_EARLY) early.push(message);
  };
  const responder = createResponder(
    config.enforce,
    { log, wholeWayCanary: () => runWholeWayCanary(config) },
    {
      report: (reports) => {
        send({ type: 'report', reports });
      },
      state: (state) => {
        send({ type: 'state', ...state });
      },
      hits: (hits) => {
        send({ type: 'hits', atMs: Date.now(), hits });
      },
      incident: (incident) => {
        send({ type: 'incident', ...incident });
      },
    },
  );
  openFolder(config.enforce.state_dir, 'enforce.state_dir', 0o700);
  await responder.start();
  if (config.mode === 'enforce' && responder.state().backend === 'dry-run') throw cannotEnforce();
  await warmUpResponder(config.enforce, WARM_UP_ROUNDS);

  const gate = createFleetGate(config, {
    log,
    refuse(reports) {
      send({ type: 'report', reports });
    },
    incident(incident) {
      send({ type: 'incident', ...incident });
    },
  });

  async function handle(message: Incoming<'responder'>): Promise<void> {
    switch (message.type) {
      case 'decide':
        if (gate.admit(message.decision)) responder.decide(message.decision);
        return;
      case 'release':
        responder.release(message.decisionId, message.reason);
        return;
      case 'sync':
        await responder.sync(gate.admitList(message.decisions), message);
        if (message.syncId !== undefined) send({ type: 'synced', syncId: message.syncId });
        return;
      case 'roster':
        gate.roster(message.roster);
        return;
      case 'allow':
        return responder.setAllow(message.entries);
      case 'protect':
        responder.setProtect(message.entries);
        return;
      case 'flush':
        return responder.flush(message.reason);
      case 'ask': {
        const result = await responder
          .ask(message.what, message.value)
          .catch((error: unknown) => ({ error: errorMessage(error) }));
        send({ type: 'answer', requestId: message.requestId, result });
      }
    }
  }

  bus = runBusClient(
    {
      role: 'responder',
      path: busSocketPath(config.runtime_dir, 'responder'),
      name: config.name,
      info: () => ({ version: VERSION, backend: responder.state().backend }),
      onMessage(message) {
        handle(message).catch((error: unknown) => {
          log.error({ err: error, command: message.type }, 'A command of the server failed.');
        });
      },
      log,
    },
    signal,
  );
  for (const message of early.splice(0)) bus.send(message);
  ready();
  await waitForAbort(signal);
  await bus.done;
  await responder.stop();
}

function cannotEnforce(): AppError {
  return new AppError({
    kind: 'operational',
    code: 'responder.cannot_enforce',
    message: 'The mode is enforce, but nothing can be blocked here: nft and netlink cannot be used.',
    fix: 'Install nftables (apt install nftables) and give the responder CAP_NET_ADMIN (run as root, or use the systemd units); or set mode: observe. `portcullis doctor` says more.',
  });
}
