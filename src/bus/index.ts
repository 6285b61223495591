export {
  runBusClient,
  type BusClient,
  type BusClientOptions,
  type BusRole,
  type Incoming,
  type Outgoing,
} from './client.js';
export { createInbox } from './inbox.js';
export { createOutbox } from './outbox.js';
export { busSocketPath, type BusPeerRole } from './paths.js';
export { busOptionsSchema, type BusOptions } from './options.js';
export {
  openBusServer,
  type BusServer,
  type BusServerHandlers,
  type InlineReport,
  type Peer,
  type ResponderReport,
  type SensorReport,
} from './server.js';
