import { createHash } from 'node:crypto';
import type { FeatureSchema } from '../domain/feature.js';

/**
 * SHA-256 (hex) over the name, kind and vocabulary of every feature in order: a model trained on one hash must never
 * be fed vectors of another. Units and descriptions may be reworded without a new hash.
 */
export function schemaHash(schema: FeatureSchema): string {
  const columns = schema.features.map((f) => [f.name, f.kind, ...(f.vocabulary ?? [])].join('\u0000'));
  return createHash('sha256')
    .update([schema.name, String(schema.version), ...columns].join('\n'))
    .digest('hex');
}
