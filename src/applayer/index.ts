export { createAppLayer, type AppFlow, type AppLayer, type FlowEnds } from './app-layer.js';
export { appLayerOptions, type AppLayerInput, type AppLayerOptions } from './options.js';
export { HTTP_PROGRESS } from './http/transaction.js';
