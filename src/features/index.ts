export { createFlowFeatures, type EmitVector } from './flow-features.js';
export { createKddFeatures } from './kdd-features.js';
export { FLOW_SCHEMA } from './flow-schema.js';
export { KDD_SCHEMA } from './kdd-schema.js';
export { KDD_FLAGS } from './kdd-connection.js';
export { KDD_SERVICES } from './kdd-service.js';
export { schemaHash } from './schema-hash.js';
export {
  flowFeatureOptionsSchema,
  kddFeatureOptionsSchema,
  type FlowFeatureOptions,
  type KddFeatureOptions,
} from './options.js';
export { parseTruth, type Truth } from './truth.js';
