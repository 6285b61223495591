import type { FeatureSchema } from '../domain/feature.js';
import { KDD_COLUMNS, kdd41Schema } from './table/kdd-columns.js';

/** Feature schemas that data files may have. */
export function knownSchemas(): FeatureSchema[] {
  const all = kdd41Schema();
  const network = new Set(KDD_COLUMNS.filter((c) => c.network).map((c) => c.name));
  return [{ name: 'kdd', version: 1, features: all.features.filter((f) => network.has(f.name)) }, all];
}
