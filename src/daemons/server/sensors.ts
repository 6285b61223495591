import type { SensorStatus } from '../../contract/http.js';

type Stats = SensorStatus['stats'];

/** Sensors that have dialled since the server started, with what they last reported. */
export interface SensorBook {
  connected(name: string, interfaces: readonly string[]): void;
  disconnected(name: string): void;
  /** @returns packets, bytes and drops since the last report, for the timeline. */
  stats(name: string, stats: Stats, atMs: number): { packets: number; bytes: number; kernelDrops: number };
  list(): SensorStatus[];
  get(name: string): SensorStatus | undefined;
}

interface Entry extends SensorStatus {
  bytes: number;
}

export function createSensorBook(): SensorBook {
  const sensors = new Map<string, Entry>();
  const number = (stats: Stats, key: string): number => {
    const value = stats[key];
    return typeof value === 'number' ? value : 0;
  };

  function entry(name: string): Entry {
    const known = sensors.get(name);
    if (known) return known;
    const made: Entry = {
      name,
      connected: false,
      running: false,
      interfaces: [],
      packets: 0,
      bytes: 0,
      kernelDrops: 0,
      packetRate: 0,
      flows: 0,
      lastSeenMs: 0,
      stats: {},
    };
    sensors.set(name, made);
    return made;
  }

  return {
    connected(name, interfaces) {
      const e = entry(name);
      e.connected = true;
      e.interfaces = [...interfaces];
      e.lastSeenMs = Date.now();
    },
    disconnected(name) {
      const e = entry(name);
      e.connected = false;
      e.running = false;
      e.packetRate = 0;
    },
    stats(name, stats, atMs) {
      const e = entry(name);
      const now = {
        packets: number(stats, 'packets'),
        bytes: number(stats, 'bytes'),
        kernelDrops: number(stats, 'kernelDrops'),
      };
      // Counters below the last ones mean that the sensor started anew.
      const anew = now.packets < e.packets || e.lastSeenMs === 0;
      const delta = {
        packets: anew ? now.packets : now.packets - e.packets,
        bytes: anew ? now.bytes : now.bytes - e.bytes,
        kernelDrops: anew ? now.kernelDrops : Math.max(0, now.kernelDrops - e.kernelDrops),
      };
      const secs = Math.max(0.1, (atMs - e.lastSeenMs) / 1000);
      e.packetRate = e.lastSeenMs === 0 ? 0 : Math.round(delta.packets / secs);
      Object.assign(e, now);
      e.flows = number(stats, 'flow_flows');
      const interfaces = stats['interfaces'];
      e.interfaces = typeof interfaces === 'string' && interfaces !== '' ? interfaces.split(',') : [];
      e.running = e.interfaces.length > 0;
      e.lastSeenMs = atMs;
      e.stats = stats;
      return delta;
    },
    list: () => [...sensors.values()].map(({ bytes: _bytes, ...status }) => status),
    get(name) {
      const found = sensors.get(name);
      if (!found) return undefined;
      const { bytes: _bytes, ...status } = found;
      return status;
    },
  };
}
