// An implant: a small request at a fixed interval, each moved by up to `jitter` of it, on a new connection.
import { get } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { Random } from '../random.js';
import { readSettings, type TrafficSettings } from './settings.js';

const { seed, seconds, target, sources, intervalMs, jitter } = readSettings<
  TrafficSettings & { intervalMs: number; jitter: number }
>();
const random = new Random(seed);
const end = Date.now() + seconds * 1000;

function call(): Promise<void> {
  return new Promise((resolve) => {
    const options = { host: target, path: '/api/v2/poll', agent: false, timeout: 3000, localAddress: sources[0] };
    const asked = get(options, (response) => response.resume().on('end', resolve));
    asked.on('error', () => resolve()).on('timeout', () => asked.destroy());
  });
}

while (Date.now() < end) {
  await call();
  await delay(intervalMs * (1 + jitter * (2 * random.next() - 1)));
}
