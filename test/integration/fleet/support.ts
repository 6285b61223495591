import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FleetPolicy, FleetSettings } from '../../../src/contract/fleet.js';
import type { EnforcementReport } from '../../../src/domain/decision.js';
import {
  fleetOptionsSchema,
  initFleet,
  loadFleetLink,
  openFleetMemory,
  type FleetLink,
  type ProvenDecision,
  type Work,
} from '../../../src/fleet/index.js';
import { silentLogger } from '../../../src/util/logger.js';

export const natsMissing = existsSync('/usr/sbin/nats-server') ? undefined : 'nats-server is not installed';

/** What a member has heard, and its link. */
export interface LinkedMember {
  link: FleetLink;
  adopted: ProvenDecision[];
  lifted: string[];
  settings: FleetSettings[];
  policies: [string, FleetPolicy][];
  work: Work[];
  reports: EnforcementReport[];
  close(): Promise<void>;
}

/** One real NATS server, and members in this process without daemons around. */
export interface LinkedFleet {
  member(name: string): Promise<LinkedMember>;
  kill(): void;
  start(): void;
  close(): Promise<void>;
}

export function openLinkedFleet(port: number): LinkedFleet {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-link-'));
  const host = '127.77.0.2';
  const authority = initFleet({
    ...{ dir: join(dir, 'f'), fleet: 'acme', nodes: [{ name: 'nats1', host }], nowMs: Date.now() },
    ports: { client: port, cluster: port + 1, leaf: port + 2 },
    natsFolder: join(dir, 'f/nats/{node}'),
    storeDir: join(dir, 'store'),
    storeMiB: 256,
  });
  const roles = { server1: 'server', server2: 'server', box1: 'box', box2: 'box' } as const;
  for (const [name, role] of Object.entries(roles)) {
    authority.join({ name, role, site: 'hq', out: join(dir, 'm', name) });
  }
  mkdirSync(join(dir, 'store'));
  let nats: ChildProcess | undefined;
  const open = new Set<LinkedMember>();
  const start = (): void => {
    nats = spawn('nats-server', ['-c', join(dir, 'f/nats/nats1/nats.conf')], { stdio: 'ignore' });
  };
  start();
  return {
    start,
    kill: () => void nats?.kill('SIGKILL'),
    async member(name) {
      const member = await openMember(join(dir, 'm', name), join(dir, 'data', name), name.startsWith('server'));
      open.add(member);
      return { ...member, close: () => member.close().finally(() => open.delete(member)) };
    },
    async close() {
      await Promise.all([...open].map((member) => member.close()));
      nats?.kill('SIGKILL');
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function openMember(folder: string, dataDir: string, isServer: boolean): Promise<LinkedMember> {
  const heard: Omit<LinkedMember, 'link' | 'close'> = {
    ...{ adopted: [], lifted: [], settings: [], policies: [], work: [], reports: [] },
  };
  const options = fleetOptionsSchema.parse({ folder, stream_mib: 16 });
  const { openFleetLink } = await loadFleetLink();
  const link = openFleetLink(options, {
    memory: await openFleetMemory(options, folder, dataDir),
    version: '0.0.0',
    log: silentLogger,
    health: () => ({
      mode: 'enforce',
      sensor: { connected: false, interfaces: [], packets: 0, bytes: 0, kernelDrops: 0, flows: 0 },
      responder: { connected: false, backend: '', desired: 0, enforced: 0 },
      stats: {},
    }),
    hasResponder: () => false,
    adopt: (decision) => void heard.adopted.push(decision),
    lift: (id) => void heard.lifted.push(id),
    forged: () => undefined,
    roster: () => undefined,
    settings: (settings) => void heard.settings.push(settings),
    policy: (name, policy) => void heard.policies.push([name, policy]),
    addresses: () => undefined,
    ...(isServer
      ? {
          server: {
            take: (work) => void heard.work.push(work),
            stored: () => Promise.resolve(),
            reports: (_member, reports) => void heard.reports.push(...reports),
            heard: () => undefined,
            // What is lost with a connection is given out again after it.
            ackWaitMs: 1000,
          },
        }
      : {}),
  });
  const ticking = setInterval(() => link.tick(Date.now()), 200);
  return {
    ...heard,
    link,
    async close() {
      clearInterval(ticking);
      await link.close();
    },
  };
}
