// A monitoring system: connects to known ports, asks for a health page and a name, over and over.
import { connect } from 'node:net';
import { get } from 'node:http';
import { Resolver } from 'node:dns/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../random.js';
import { forEachSource, readSettings } from './settings.js';

const settings = readSettings();
/** All but the last three are open; a monitor also watches that some stay closed. */
const PORTS = [21, 22, 23, 25, 53, 80, 110, 143, 443, 3306, 5432, 6379];

function probe(source: string, port: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ host: settings.target, port, localAddress: source, timeout: 1000 });
    const done = (): void => {
      socket.destroy();
      resolve();
    };
    socket
      .on('connect', () => setTimeout(done, 20))
      .on('error', done)
      .on('timeout', done);
  });
}

function health(source: string): Promise<void> {
  return new Promise((resolve) => {
    const options = { host: settings.target, path: '/app/health', localAddress: source, agent: false, timeout: 1000 };
    get(options, (response) => response.resume().on('end', resolve)).on('error', () => resolve());
  });
}

await forEachSource(settings, async (source: string, random: Random) => {
  for (const port of PORTS) await probe(source, port);
  await health(source);
  const resolver = new Resolver({ timeout: 1000, tries: 1 });
  resolver.setServers([settings.target]);
  resolver.setLocalAddress(source);
  await resolver.resolve4('www.lab.example').catch(() => undefined);
  await delay(2500 + random.integer(0, 500));
});
