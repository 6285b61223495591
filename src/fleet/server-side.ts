import { fleetReportsSchema, type Heartbeat } from '../contract/fleet.js';
import type { EnforcementReport } from '../domain/decision.js';
import { errorMessage } from '../util/errors.js';
import type { Logger } from '../util/logger.js';
import { insist, pause, type FleetBus, type Session } from './bus.js';
import type { DecisionLink } from './decision-link.js';
import { createLeases } from './leases.js';
import type { Member } from './member.js';
import { PARTITIONS, partitionOf, speakerOf, STREAMS } from './names.js';
import type { Registry, RegistryMember } from './registry.js';
import { ensureStreams } from './streams.js';
import { ALIVE, createWorkIntake, partitionKey, type Work } from './work-intake.js';

const SCHEDULER = 'scheduler';
const SWEEP_EVERY_MS = 5000;

export interface FleetServerDeps {
  take(work: Work, member: string): void;
  /** Resolves when everything taken so far is stored. */
  stored(): Promise<void>;
  reports(member: string, reports: EnforcementReport[]): void;
  heard(beat: Heartbeat): void;
  /** Work that was not confirmed in this time is given out again; 5 s unless given. */
  ackWaitMs?: number;
}

/** What only servers do: take work, hold leases, keep the buckets tidy, know who is there. */
export interface FleetServerSide {
  members(): RegistryMember[];
  /** Nightly work belongs to this server now. */
  isScheduler(): boolean;
  scheduler(): string | undefined;
  /** Alerts and decisions on this source are this server's to store. */
  owns(source: string): boolean;
  stats(): Record<string, number>;
  tick(nowMs: number): void;
  close(): Promise<void>;
}

interface Parts extends FleetServerDeps {
  member: Member;
  bus: FleetBus;
  registry: Registry;
  decisions: DecisionLink;
  streamMiB: number;
  log: Logger;
}

export function createServerSide(parts: Parts): FleetServerSide {
  const { member, bus, registry, log } = parts;
  const intake = createWorkIntake({ bus, log, take: parts.take, stored: parts.stored });
  const leases = createLeases({
    name: member.name,
    bus,
    log,
    changed(key, held) {
      log.info({ lease: key, held }, 'A lease changed hands.');
      if (key.startsWith('partition.')) intake.own(Number(key.slice('partition.'.length)), held);
    },
  });
  let lastSweepMs = 0;

  async function follow(session: Session): Promise<void> {
    const sizes = { replicas: member.replicas, streamMiB: parts.streamMiB, ackWaitMs: parts.ackWaitMs };
    await insist(session, 'streams', log, () => ensureStreams(session, sizes));
    const consumer = await insist(session, 'reports', log, () => session.js.consumers.get(STREAMS.reports));
    while (consumer && !session.signal.aborted) {
      try {
        const messages = await consumer.consume(ALIVE);
        const end = (): void => void messages.close();
        session.signal.addEventListener('abort', end, { once: true });
        for await (const msg of messages) {
          const parsed = fleetReportsSchema.safeParse(msg.json());
          if (parsed.success) parts.reports(speakerOf(msg.subject), parsed.data.reports as EnforcementReport[]);
        }
      } catch (error) {
        log.debug({ problem: errorMessage(error) }, 'The reports could not be read, will retry.');
      }
      await pause(500, session.signal);
    }
  }
  bus.onSession((session) => void follow(session));

  /** An equal share of the partitions for every server that is there. */
  function share(): string[] {
    const servers = registry.aliveServers();
    const all = servers.includes(member.name) ? servers : [...servers, member.name].sort();
    const at = all.indexOf(member.name);
    const own = [];
    for (let p = 0; p < PARTITIONS; p++) if (p % all.length === at) own.push(partitionKey(p));
    return own;
  }

  return {
    members: () => registry.members(),
    isScheduler: () => leases.holds(SCHEDULER),
    scheduler: () => leases.holder(SCHEDULER),
    owns: (source) => leases.holds(partitionKey(partitionOf(source))),
    stats: () => ({ ...intake.stats() }),
    tick(nowMs) {
      leases.want([SCHEDULER, ...share()]);
      if (!leases.holds(SCHEDULER) || nowMs - lastSweepMs < SWEEP_EVERY_MS) return;
      lastSweepMs = nowMs;
      void parts.decisions.sweep(nowMs);
    },
    async close() {
      await intake.close();
      await leases.close();
    },
  };
}
