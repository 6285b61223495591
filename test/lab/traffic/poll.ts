// Apps and hubs of a smart home: each asks its bridge over and over, every request on a connection of its own.
import { request as plain } from 'node:http';
import { request as secure } from 'node:https';
import type { Random } from '../random.js';
import { forEachSource, readSettings, think, type TrafficSettings } from './settings.js';

const settings = readSettings<TrafficSettings & { pauseMs: number }>();
const PATHS = ['/app/health', '/app/search?q=lamp', '/index.html', '/page0.html', '/page3.html', '/missing.html'];

/** One question, answered and closed. Errors count as answers: an app asks again. */
function ask(source: string, path: string, random: Random, isSecure: boolean): Promise<void> {
  const body = random.next() < 0.3 ? JSON.stringify({ on: true, bri: random.integer(1, 254) }) : '';
  return new Promise((resolve) => {
    const send = isSecure ? secure : plain;
    const asked = send(
      {
        host: settings.target,
        path,
        agent: false,
        method: body === '' ? 'GET' : 'PUT',
        headers: { 'user-agent': 'hub/2.1', 'content-length': Buffer.byteLength(body) },
        localAddress: source,
        timeout: 3000,
        rejectUnauthorized: false,
      },
      (response) => response.resume().on('end', resolve).on('error', () => resolve()),
    ); // prettier-ignore
    asked
      .on('error', () => resolve())
      .on('timeout', () => asked.destroy())
      .end(body);
  });
}

await forEachSource(settings, async (source, random, isOver) => {
  // Each app has its own pace, way and few questions, and keeps to them.
  const isSecure = random.next() < 0.3;
  const pause = settings.pauseMs * (0.3 + 1.4 * random.next());
  const questions = random.sample(PATHS, random.integer(1, 3));
  while (!isOver()) {
    const burst = random.next() < 0.2 ? random.integer(2, 6) : 1;
    const path = questions[random.integer(0, questions.length - 1)]!;
    await Promise.all(Array.from({ length: burst }, () => ask(source, path, random, isSecure)));
    await think(random, pause);
  }
});
