// A user in front of a browser: asks for a page, then for its images over kept-alive connections, then reads.
import { Agent, request } from 'node:http';
import { Resolver } from 'node:dns/promises';
import type { Random } from '../random.js';
import { forEachSource, readSettings, think } from './settings.js';

const settings = readSettings();

/** Fetches and discards. Errors end the visit, as they would for a person. */
function get(agent: Agent, source: string, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = {
      'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
      host: 'www.lab.example',
    };
    const asked = request(
      { host: settings.target, path, agent, headers, localAddress: source, timeout: 5000 },
      (response) => {
        response.resume().on('end', resolve).on('error', reject);
      },
    );
    asked
      .on('error', reject)
      .on('timeout', () => asked.destroy(new Error('timeout')))
      .end();
  });
}

async function lookUp(source: string): Promise<void> {
  const resolver = new Resolver({ timeout: 1000, tries: 1 });
  resolver.setServers([settings.target]);
  resolver.setLocalAddress(source);
  await Promise.all([resolver.resolve4('www.lab.example'), resolver.resolve6('www.lab.example')]);
}

async function visit(source: string, random: Random, isOver: () => boolean): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 6 });
  try {
    if (random.next() < 0.3) await lookUp(source);
    const pages = random.integer(1, 4);
    for (let i = 0; i < pages && !isOver(); i++) {
      await get(agent, source, `/page${random.integer(0, 11)}.html`);
      const images = Array.from({ length: random.integer(0, 3) }, () => `/image${random.integer(0, 7)}.jpg`);
      await Promise.all(['/style.css', ...images].map((path) => get(agent, source, path)));
      if (random.next() < 0.1) await get(agent, source, '/missing.html');
      if (random.next() < 0.2) await get(agent, source, `/app/search?q=product+${random.integer(0, 49)}`);
      await think(random, 900);
    }
  } finally {
    agent.destroy();
  }
  await think(random, 600);
}

await forEachSource(settings, async (source, random, isOver) => {
  // A user whose page does not load tries again later; the lab's own failures must not go unseen.
  await visit(source, random, isOver).catch((error: Error) => console.error(error.message));
});
