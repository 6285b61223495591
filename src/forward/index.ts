export { openForwarder, type Forwarder, type ForwarderStats, type ReconfigureResult } from './forwarder.js';
export type { DeadLetter } from './dead-letter.js';
export type { Delivery, DeliveryState, EventDeliveries, ReplayableGap } from './deliveries.js';
export type { Receipt } from './receipts.js';
export type { ReplayStatus } from './replay.js';
export type { ForwarderDeps } from './context.js';
export { DESTINATION_STATES, type DestinationState, type DestinationStatus } from './destination-status.js';
export { testDestination, type TestResult } from './test-destination.js';
export { alertToSiemEvent, decisionToSiemEvent, type AlertExtras, type DecisionExtras } from './events.js';
export { FORMATTERS } from './formats/index.js';
export type { FormatContext, Formatter } from './formats/fields.js';
export { checkSiemOptions, type Problem } from './settings.js';
export { PRESETS, type Preset } from './presets.js';
export {
  siemOptionsSchema,
  type FormatName,
  type ResponseRequestOptions,
  type SiemOptions,
  type SiemOptionsInput,
} from './options.js';
