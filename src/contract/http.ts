/** The HTTP contract: schemas and types of every request and response, shared by server, console and tests. */
export * from './http/accounts.js';
export * from './http/alerts.js';
export * from './http/auth.js';
export * from './http/baselines.js';
export * from './http/common.js';
export * from './http/decisions.js';
export * from './http/incident-schema.js';
export * from './http/incidents.js';
export * from './http/live.js';
export * from './http/models.js';
export * from './http/operation.js';
export * from './http/operations.js';
export * from './http/policies.js';
export * from './http/response-requests.js';
export * from './http/siem.js';
export * from './http/system.js';
export * from './http/traffic.js';
