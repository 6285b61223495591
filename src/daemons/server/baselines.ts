import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { hostBaselineSchema, type HostBaseline } from '../../contract/baseline.js';
import type { BaselineDetail, BaselineSummary, ListQuery, Page } from '../../contract/http.js';
import type { SensorCommand } from '../../contract/ipc.js';
import { errorMessage } from '../../util/errors.js';
import type { Logger } from '../../util/logger.js';

const DAY_MS = 86_400_000;
/** Hosts a message to a sensor: a few hundred kilobytes. */
const HOSTS_A_MESSAGE = 8;

const fileSchema = z.object({ sensor: z.string(), hosts: z.array(hostBaselineSchema) });

export interface BaselineOptions {
  /** Folder of one JSON file a sensor. */
  dir: string;
  learnDays: number;
  /** Hosts kept a sensor; the longest unseen goes beyond. */
  maxHosts: number;
}

/** What the sensors learned of inside hosts: kept here because a sensor may not write, and given back when it dials. */
export interface BaselineBook {
  update(sensor: string, hosts: readonly HostBaseline[]): void;
  /** Messages that give a sensor its memory back. */
  restore(sensor: string): SensorCommand[];
  list(query: ListQuery): Page<BaselineSummary>;
  get(host: string): BaselineDetail | undefined;
  /** @returns the sensors that must forget it too. */
  forget(host: string): string[];
  /** Writes what changed since the last call. */
  save(): void;
}

/** Reads the folder; a file that cannot be read is said in the log and begun anew. */
export function openBaselineBook(options: BaselineOptions, log: Logger, now: () => number = Date.now): BaselineBook {
  const sensors = new Map<string, Map<string, HostBaseline>>();
  const changed = new Set<string>();
  mkdirSync(options.dir, { recursive: true, mode: 0o750 });
  for (const name of readdirSync(options.dir).filter((file) => file.endsWith('.json'))) {
    try {
      const file = fileSchema.parse(JSON.parse(readFileSync(join(options.dir, name), 'utf8')));
      sensors.set(file.sensor, new Map(file.hosts.map((host) => [host.host, host])));
    } catch (error) {
      log.error({ file: name, err: errorMessage(error) }, 'A file of baselines cannot be read; it is begun anew.');
    }
  }

  const learning = (sensor: string, b: HostBaseline) => {
    const learnedMs = b.firstMs + options.learnDays * DAY_MS;
    return { sensor, learnedMs, isLearning: now() < learnedMs };
  };
  const all = (): { sensor: string; host: HostBaseline }[] =>
    [...sensors].flatMap(([sensor, hosts]) => [...hosts.values()].map((host) => ({ sensor, host })));

  return {
    update(sensor, hosts) {
      const known = sensors.get(sensor) ?? new Map<string, HostBaseline>();
      sensors.set(sensor, known);
      changed.add(sensor);
      for (const host of hosts) known.set(host.host, host);
      if (known.size <= options.maxHosts) return;
      const oldest = [...known.values()].sort((a, b) => a.lastMs - b.lastMs);
      for (const { host } of oldest.slice(0, known.size - options.maxHosts)) known.delete(host);
    },

    restore(sensor) {
      const hosts = [...(sensors.get(sensor)?.values() ?? [])];
      const messages: SensorCommand[] = [];
      for (let i = 0; i < hosts.length; i += HOSTS_A_MESSAGE)
        messages.push({ type: 'baselines', hosts: hosts.slice(i, i + HOSTS_A_MESSAGE) });
      return messages;
    },

    list({ limit, cursor, q }) {
      const wanted = all()
        .filter(({ host }) => q === undefined || host.host.includes(q))
        .sort((a, b) => b.host.lastMs - a.host.lastMs || a.host.host.localeCompare(b.host.host));
      const from = cursor === undefined ? 0 : Math.max(0, Number.parseInt(cursor, 10) || 0);
      const items = wanted.slice(from, from + limit).map(({ sensor, host }) => ({
        host: host.host,
        ...learning(sensor, host),
        firstMs: host.firstMs,
        lastMs: host.lastMs,
        usualPeers: host.peers.length,
        peakSentBytes: Math.max(0, ...host.volumes.filter((v) => v.port === 0).flatMap((v) => v.sentBytes)),
      }));
      return { items, nextCursor: from + limit < wanted.length ? String(from + limit) : null };
    },

    get(address) {
      const found = all()
        .filter(({ host }) => host.host === address)
        .sort((a, b) => b.host.lastMs - a.host.lastMs)[0];
      return found && { ...found.host, ...learning(found.sensor, found.host) };
    },

    forget(host) {
      const having = [...sensors].filter(([, hosts]) => hosts.delete(host)).map(([sensor]) => sensor);
      for (const sensor of having) changed.add(sensor);
      return having;
    },

    save() {
      for (const sensor of changed) {
        const hosts = [...(sensors.get(sensor)?.values() ?? [])];
        const path = join(options.dir, `${encodeURIComponent(sensor)}.json`);
        try {
          writeFileSync(`${path}.new`, JSON.stringify({ sensor, hosts }), { mode: 0o640 });
          renameSync(`${path}.new`, path);
          changed.delete(sensor);
        } catch (error) {
          log.error({ sensor, err: errorMessage(error) }, 'Baselines could not be written.');
        }
      }
    },
  };
}
