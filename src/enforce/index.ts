export { enforceOptionsSchema, type EnforceOptions, type GuardOptions } from './options.js';
export { createResponder, type Question, type Responder, type ResponderDeps } from './responder.js';
export type { Clock, ResponderEmit, ResponderIncident, ResponderState } from './core.js';
export { createBackendFactory, type BackendFactory } from './backend/open.js';
export type { ApplyResult, EnforceBackend, KernelElement, KernelOp } from './backend/backend.js';
export type { ExplainAnswer } from './explain.js';
export { flushAll, type FlushResult } from './flush.js';
export { createBox, type Box } from './protect/box.js';
export { ProtectedCollector } from './protect/collect.js';
