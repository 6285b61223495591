import { openMaxMindDatabase } from '../../../util/mmdb.js';

/** Country of an address from a MaxMind DB file. */
export interface CountryDatabase {
  /** ISO 3166-1 code in capitals, or undefined. Words as in a decoded packet: IPv4 in the last. */
  country(version: number, w0: number, w1: number, w2: number, w3: number): string | undefined;
}

const MAX_CACHED = 65_536;

/** @throws {Error} with a sentence for people when the file is none. */
export function openCountryDatabase(file: Uint8Array): CountryDatabase {
  const database = openMaxMindDatabase(file);
  const cache = new Map<string, string | undefined>();
  return {
    country(version, w0, w1, w2, w3) {
      const key = version === 4 ? String(w3) : `${w0}:${w1}:${w2}:${w3}`;
      if (cache.has(key)) return cache.get(key);
      const record = database.find(version, [w0, w1, w2, w3]) as Record<string, Record<string, unknown>> | undefined;
      const code = (record?.['country'] ?? record?.['registered_country'])?.['iso_code'];
      const found = typeof code === 'string' ? code.toUpperCase() : undefined;
      if (cache.size >= MAX_CACHED) cache.clear();
      cache.set(key, found);
      return found;
    },
  };
}
