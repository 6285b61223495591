import { silentLogger, type Logger } from '../util/logger.js';
import { storeOptionsSchema, type StoreOptions } from './options.js';
import type { Store } from './store.js';

export type { StoreKind } from './columns.js';
export type { DatabaseCopy } from './backup.js';
export { toStoreError, UNWRITABLE } from './errors.js';
export { parseHost } from './host-ring.js';
export type { AlertResponse, AlertWrite, StoredAlert } from './map-alert.js';
export { pageOfActive } from './repositories/waiting-decisions.js';
export { storeOptionsSchema, type StoreOptions } from './options.js';
export type { PageRequest, PageResult } from './paging.js';
export type * from './repositories/accounts.js';
export type { AlertRepository } from './repositories/alerts.js';
export type * from './repositories/audit.js';
export type { DecisionOp, DecisionRepository, DecisionStep, DecisionWrite } from './repositories/decisions.js';
export type { FlowRepository, StoredFlow } from './repositories/flows.js';
export type { IncidentComment, IncidentRepository } from './repositories/incidents.js';
export type * from './repositories/knowledge.js';
export type { ResponseRequestRepository, ResponseRequestRow } from './repositories/response-requests.js';
export type { SampleRepository, StoredSample, TrainingRepository } from './repositories/training.js';
export type * from './repositories/passkeys.js';
export type * from './repositories/hosts.js';
export type * from './repositories/views.js';
export type { StatisticsRepository, TimelinePoint, TrafficOverview } from './repositories/statistics.js';
export type { RetentionResult } from './retention.js';
export type { Store } from './store.js';

/**
 * Opens the database, brings its schema up to date, and starts the write-behind queues; in a thread of its own unless
 * `thread` is false.
 * @param input options; missing ones get their defaults.
 * @throws AppError store.*
 */
export async function openStore(
  input: Partial<StoreOptions>,
  { log = silentLogger }: { log?: Logger } = {},
): Promise<Store> {
  const options = storeOptionsSchema.parse(input);
  // Loaders of TypeScript sources do not reach into threads: only compiled code has one.
  const compiled = !import.meta.url.endsWith('.ts');
  // The thread loads TypeORM; this one then has no use for it.
  if (options.thread && compiled) return (await import('./worker-client.js')).openWorkerStore(options, log);
  return (await import('./local-store.js')).openLocalStore(options, log);
}

/** What copies a database into a folder and back: for `portcullis backup` and `restore` only, who load it when they need it. */
export const databaseBackup = () => import('./backup.js');
