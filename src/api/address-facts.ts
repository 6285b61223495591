import { Resolver } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import type { AddressFacts } from '../contract/http.js';
import { errorMessage } from '../util/errors.js';
import { formatIp, parseIp, type IpAddress } from '../util/ip.js';
import type { Logger } from '../util/logger.js';
import { openMaxMindDatabase, type MaxMindDatabase } from '../util/mmdb.js';
import type { ApiOptions } from './options.js';

/** Questions to the resolver at the same time; whoever asks beyond is told nothing, and may ask again. */
const MAX_ASKING = 16;
const MAX_CACHED = 10_000;
const CACHE_MS = 3_600_000;
const ASK_MS = 2000;
const MAX_NAMES = 4;

/** Asks the resolver of this box; each rejects when there is no answer. */
export interface Names {
  reverse(address: string): Promise<string[]>;
  /** Addresses of a name, of the same version. */
  forward(name: string, version: number): Promise<string[]>;
}

export interface AddressFactBook {
  get(address: string): Promise<AddressFacts>;
}

type ReverseName = AddressFacts['reverseName'];

/** What is known of an address beyond this box: its name in the DNS, its country and its network. */
export function createAddressFacts(
  options: ApiOptions['lookups'],
  log: Logger,
  { names = resolverNames(), now = Date.now }: { names?: Names; now?: () => number } = {},
): AddressFactBook {
  const country = createFile(options.countryDatabase, log);
  const network = createFile(options.asnDatabase, log);
  const known = new Map<string, { name: ReverseName; untilMs: number }>();
  let asking = 0;

  async function ask(ip: IpAddress, address: string): Promise<ReverseName> {
    // Whoever owns the reverse zone writes into it what they like: a name counts once it leads back to the address.
    const found = (await names.reverse(address).catch(() => []))
      .filter((name) => /^[\w.-]{1,253}$/.test(name))
      .slice(0, MAX_NAMES);
    for (const name of found) {
      const addresses = await names.forward(name, ip.version).catch(() => []);
      const back = addresses.map((text) => parseIp(text)).some((other) => other && formatIp(other) === address);
      if (back) return { name, confirmed: true };
    }
    return found[0] === undefined ? null : { name: found[0], confirmed: false };
  }

  async function reverseName(ip: IpAddress, address: string): Promise<ReverseName> {
    const before = known.get(address);
    if (before && before.untilMs > now()) return before.name;
    if (!options.reverseDns || asking >= MAX_ASKING) return null;
    asking++;
    try {
      const name = await ask(ip, address);
      const oldest = known.keys().next().value;
      if (known.size >= MAX_CACHED && oldest !== undefined) known.delete(oldest);
      known.delete(address);
      known.set(address, { name, untilMs: now() + CACHE_MS });
      return name;
    } finally {
      asking--;
    }
  }

  return {
    async get(address) {
      const ip = parseIp(address);
      if (!ip) return { address, reverseName: null, country: null, network: null };
      const [name, place, owner] = await Promise.all([reverseName(ip, address), country(), network()]);
      return {
        address,
        reverseName: name,
        country: countryOf(place?.find(ip.version, ip.words)),
        network: networkOf(owner?.find(ip.version, ip.words)),
      };
    },
  };
}

function resolverNames(): Names {
  const resolver = new Resolver({ timeout: ASK_MS, tries: 1 });
  return {
    reverse: (address) => resolver.reverse(address),
    forward: (name, version) => (version === 4 ? resolver.resolve4(name) : resolver.resolve6(name)),
  };
}

/** Opens a database at the first question; one that cannot be read is told once and left out. */
function createFile(path: string | undefined, log: Logger): () => Promise<MaxMindDatabase | undefined> {
  let opened: Promise<MaxMindDatabase | undefined> | undefined;
  async function open(file: string): Promise<MaxMindDatabase | undefined> {
    try {
      return openMaxMindDatabase(await readFile(file));
    } catch (error) {
      log.warn({ file, reason: errorMessage(error) }, 'A database of countries or networks cannot be used.');
      return undefined;
    }
  }
  return () => (path === undefined ? Promise.resolve(undefined) : (opened ??= open(path)));
}

type MmRecord = ReturnType<MaxMindDatabase['find']>;

function countryOf(record: MmRecord): string | null {
  const part = (record?.['country'] ?? record?.['registered_country']) as Record<string, unknown> | undefined;
  const code = part?.['iso_code'];
  return typeof code === 'string' && /^[A-Za-z]{2}$/.test(code) ? code.toUpperCase() : null;
}

function networkOf(record: MmRecord): AddressFacts['network'] {
  const number = record?.['autonomous_system_number'];
  const name = record?.['autonomous_system_organization'];
  if (typeof number !== 'number') return null;
  return { asn: number, name: typeof name === 'string' ? name.slice(0, 200) : '' };
}
