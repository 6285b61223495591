export type { AppFlow, FlowEnds } from './app-flow.js';
export { createAppLayer, type AppLayer } from './app-layer.js';
export { appLayerOptions, type AppLayerInput, type AppLayerOptions } from './options.js';
export { HTTP_PROGRESS } from './http/transaction.js';
