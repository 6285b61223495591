// A load balancer: connects to each service of each server every second, and hangs up without a word.
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { forEachSource, readSettings } from './settings.js';

const settings = readSettings();
/** The last two are closed on some servers: those are out of rotation. */
const PORTS = [80, 443, 22, 21, 8443, 9000];

function check(source: string, host: string, port: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, localAddress: source, timeout: 900 });
    const done = (): void => {
      socket.destroy();
      resolve();
    };
    socket.on('connect', done).on('error', done).on('timeout', done);
  });
}

await forEachSource(settings, async (source) => {
  const checks = settings.target.split(',').flatMap((host) => PORTS.map((port) => check(source, host, port)));
  await Promise.all([...checks, delay(1000)]);
});
