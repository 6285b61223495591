export { createBehaviour, type Behaviour } from './behaviour.js';
export { BEHAVIOURS, type BehaviourEntry } from './catalogue.js';
export { SERVICE_NAMES } from './login-service.js';
export { behaviourOptionsSchema, type BehaviourOptions } from './options.js';
export type { BehaviourDeps } from './reporter.js';
