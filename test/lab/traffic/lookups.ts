// A computer's name lookups: names that exist, the occasional typo, several types.
import { Resolver } from 'node:dns/promises';
import type { Random } from '../random.js';
import { DNS_NAMES } from '../services/dnsmasq.js';
import { forEachSource, readSettings, think } from './settings.js';

const settings = readSettings();

async function lookUp(source: string, random: Random): Promise<void> {
  const resolver = new Resolver({ timeout: 1000, tries: 1 });
  resolver.setServers([settings.target]);
  resolver.setLocalAddress(source);
  const exists = random.next() > 0.06;
  const name = exists ? `${random.pick(DNS_NAMES)}.lab.example` : `printr${random.integer(1, 5)}.lab.example`;
  // A name that does not exist rejects, as it should.
  await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
  await think(random, 700);
}

await forEachSource(settings, lookUp);
