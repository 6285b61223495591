export { createCorrelator, type Correlator, type CorrelatorDeps } from './correlator.js';
export { correlateOptionsSchema, type CorrelateOptions, type Suppression } from './options.js';
