import { heartbeatSchema, type Heartbeat } from '../contract/fleet.js';
import { errorMessage } from '../util/errors.js';
import type { Logger } from '../util/logger.js';
import { insist, pause, type FleetBus, type Session } from './bus.js';
import { BUCKETS } from './names.js';
import { watchBucket, type Entry } from './watch.js';

const BEAT_MS = 1000;
/** A member that was not heard of for this time counts as away. */
export const AWAY_MS = 4000;

export interface RegistryMember {
  beat: Heartbeat;
  /** When it was last heard of, by our own clock; epoch milliseconds. */
  heardMs: number;
  alive: boolean;
}

/** Who is there, as each member says once a second under its own name. */
export interface Registry {
  members(): RegistryMember[];
  /** Names of servers that are there, in order. */
  aliveServers(): string[];
}

export interface RegistryDeps {
  bus: FleetBus;
  log: Logger;
  beat(): Heartbeat;
  /** Boxes only speak; servers listen too. */
  listens: boolean;
  /** Another member was heard of. */
  heard?(beat: Heartbeat): void;
}

export function createRegistry({ bus, log, beat, listens, heard }: RegistryDeps): Registry {
  const known = new Map<string, { beat: Heartbeat; heardMs: number }>();

  function note({ key, text, isFresh, createdMs }: Entry): void {
    if (text === undefined) {
      known.delete(key);
      return;
    }
    const parsed = heartbeatSchema.safeParse(JSON.parse(text));
    if (!parsed.success || parsed.data.name !== key) return;
    known.set(key, { beat: parsed.data, heardMs: isFresh ? Date.now() : createdMs });
    heard?.(parsed.data);
  }

  async function listen(session: Session): Promise<void> {
    const kv = await insist(session, 'members', log, () => session.bucket(BUCKETS.members));
    while (kv && !session.signal.aborted) {
      try {
        await watchBucket(session, BUCKETS.members, { entry: note });
      } catch (error) {
        log.debug({ problem: errorMessage(error) }, 'The members could not be watched, will retry.');
      }
      await pause(BEAT_MS, session.signal);
    }
  }

  async function speak(session: Session): Promise<void> {
    const kv = await insist(session, 'members', log, () => session.bucket(BUCKETS.members));
    while (kv && !session.signal.aborted) {
      const own = beat();
      await kv.put(own.name, JSON.stringify(own)).catch(() => undefined);
      await pause(BEAT_MS, session.signal);
    }
  }

  bus.onSession((session) => {
    void speak(session);
    if (listens) void listen(session);
  });

  const isAlive = (heardMs: number): boolean => Date.now() - heardMs < AWAY_MS;
  return {
    members: () =>
      [...known.values()]
        .map(({ beat: said, heardMs }) => ({ beat: said, heardMs, alive: isAlive(heardMs) }))
        .sort((a, b) => a.beat.name.localeCompare(b.beat.name)),
    aliveServers: () =>
      [...known.values()]
        .filter(({ beat: said, heardMs }) => said.role === 'server' && isAlive(heardMs))
        .map(({ beat: said }) => said.name)
        .sort(),
  };
}
