import type { FeatureSchema } from '../domain/feature.js';
import { FLOW_SCHEMA, KDD_SCHEMA } from '../features/index.js';
import { kdd41Schema } from './table/kdd-columns.js';

/** Feature schemas that data files may have: what the sensor computes, and the whole KDD table for comparison. */
export function knownSchemas(): FeatureSchema[] {
  return [FLOW_SCHEMA, KDD_SCHEMA, kdd41Schema()];
}
