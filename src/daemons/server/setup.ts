import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import type { Actor } from '../../api/index.js';
import { listInterfaces } from '../../capture/index.js';
import type { LoadedConfig } from '../../config/index.js';
import type { NetworkInterface, Setup, SetupChange, SiemStatus } from '../../contract/http.js';
import type { ProtectedEntry } from '../../domain/decision.js';
import type { Store } from '../../store/index.js';
import { AppError } from '../../util/errors.js';
import { cidrContains, formatCidr, maskIp, parseCidr, parseIp, type Cidr } from '../../util/ip.js';
import type { Settings } from './parts.js';
import type { SensorBook } from './sensors.js';

export interface SetupDeps {
  config: LoadedConfig;
  store: Store;
  settings: Settings;
  sensors: SensorBook;
  protectedSet(): ProtectedEntry[];
  siem(): SiemStatus[];
  canary(): Setup['canary'];
  change(changes: Record<string, unknown>, actor: Actor): unknown;
}

/** Interfaces that the default route goes out of, from the kernel's table. */
function uplinks(): Set<string> {
  try {
    const lines = readFileSync('/proc/net/route', 'utf8').split('\n').slice(1);
    return new Set(
      lines
        .map((line) => line.split('\t'))
        .filter(([, to]) => to === '00000000')
        .map(([name]) => name ?? ''),
    );
  } catch {
    return new Set();
  }
}

function interfacesOf(sensors: SensorBook): NetworkInterface[] {
  const captured = new Set(sensors.list().flatMap((sensor) => (sensor.running ? sensor.interfaces : [])));
  const out = uplinks();
  return listInterfaces().map((i) => ({
    name: i.name,
    addresses: (networkInterfaces()[i.name] ?? []).map(({ address }) => address),
    up: i.isUp,
    loopback: i.name === 'lo',
    captured: captured.has(i.name),
    uplink: out.has(i.name),
  }));
}

/** Networks of the box's own addresses, uplinks and loopback left out: behind those lie the others. */
function ownNetworks(): Cidr[] {
  const out = uplinks();
  return Object.entries(networkInterfaces())
    .filter(([name]) => name !== 'lo' && !out.has(name))
    .flatMap(([, addresses]) => addresses ?? [])
    .map(({ cidr }) => parseCidr(cidr ?? ''))
    .filter((cidr) => cidr !== undefined)
    .map((cidr) => maskIp(cidr, cidr.prefix));
}

/** What the first-run wizard shows and changes. */
export function createSetup(deps: SetupDeps) {
  const { config, store, settings } = deps;

  async function setup(): Promise<Setup> {
    const home = config.policy.home_networks.map(parseCidr).filter((cidr) => cidr !== undefined);
    const covered = (network: Cidr): boolean =>
      home.some((h) => h.version === network.version && h.prefix <= network.prefix && cidrContains(h, network));
    const state = (await store.settings.get('setup')) as { finished?: boolean; sinceMs?: number } | undefined;
    const sinceMs = state?.sinceMs ?? Date.now() - 7 * 86_400_000;
    const minutes = Math.min(10_080, Math.max(1, Math.ceil((Date.now() - sinceMs) / 60_000)));
    const overview = await store.statistics.overview(minutes, Date.now());
    const simulated = await store.decisions.counts(Date.now());
    return {
      finished: state?.finished === true,
      interfaces: interfacesOf(deps.sensors),
      homeNetworks: config.policy.home_networks,
      suggestedNetworks: [
        ...new Set(
          ownNetworks()
            .filter((n) => !covered(n))
            .map(formatCidr),
        ),
      ],
      protected: deps.protectedSet(),
      siem: deps.siem(),
      mode: settings.mode(),
      learning: settings.learning(),
      canary: deps.canary(),
      observed: {
        sinceMs,
        alerts: overview.severities.reduce((sum, { alerts }) => sum + alerts, 0),
        simulatedBlocks: simulated.simulated,
        flows: overview.protocols.reduce((sum, { flows }) => sum + flows, 0),
      },
    };
  }

  async function changeSetup(change: SetupChange, actor: Actor): Promise<void> {
    const { interfaces, homeNetworks, learning, finished } = change;
    for (const text of homeNetworks ?? []) {
      if (parseCidr(text) && (text.includes('/') || parseIp(text))) continue;
      throw new AppError({
        kind: 'user',
        code: 'setup.bad_network',
        message: `"${text}" is not a network.`,
        fix: 'Write for example 192.168.1.0/24.',
      });
    }
    const known = new Set(listInterfaces().map(({ name }) => name));
    const wrong = interfaces?.find((name) => !known.has(name));
    if (wrong !== undefined) {
      throw new AppError({ kind: 'user', code: 'setup.bad_interface', message: `There is no interface "${wrong}".` });
    }
    const changes = {
      ...(interfaces === undefined ? {} : { 'capture.interfaces': interfaces }),
      ...(homeNetworks === undefined ? {} : { 'policy.home_networks': homeNetworks }),
    };
    if (Object.keys(changes).length > 0) deps.change(changes, actor);
    if (learning) {
      await settings.learn(
        learning.secs === 0 ? null : { untilMs: Date.now() + learning.secs * 1000, thenMode: learning.thenMode },
        actor.name,
      );
    }
    const state = (await store.settings.get('setup')) as object | undefined;
    const since = learning && learning.secs > 0 ? { sinceMs: Date.now() } : {};
    await store.settings.set(
      'setup',
      { ...state, ...since, ...(finished === undefined ? {} : { finished }) },
      actor.name,
    );
  }

  return { setup, changeSetup };
}
