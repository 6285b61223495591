export { publicUrl } from './feeds/http.js';
export { createIntel, type Intel } from './observer.js';
export { normalizeAny, type NormalValue } from './normalize.js';
export { intelOptionsSchema, type FeedOptions, type IntelOptions } from './options.js';
export {
  newState,
  readStates,
  refreshIntel,
  TABLE_FILE,
  type FeedState,
  type RefreshInput,
  type RefreshResult,
} from './refresh.js';
export { refreshInThread } from './refresh-thread.js';
export { TableBuilder } from './table-builder.js';
export { IndicatorTable, type TableEntry } from './table.js';
