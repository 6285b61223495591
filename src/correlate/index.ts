export { createCorrelator, type Correlator, type CorrelatorDeps } from './correlator.js';
export { correlateOptionsSchema, type CorrelateOptions } from './options.js';
export type { SuppressionTable } from './suppress.js';
