import { createHash } from 'node:crypto';
import type { Policy } from './schema.js';

/** @returns 12 hexadecimal digits, the same for policies that say the same, whatever file, order or version they have. */
export function policyDigest(policies: readonly Policy[]): string {
  const texts = policies.map(({ version: _version, source: _source, ...what }) => JSON.stringify(what)).sort();
  return createHash('sha256').update(texts.join('\n')).digest('hex').slice(0, 12);
}
