export { openBundle, type Bundle } from './bundle.js';
export { evaluateModel, type Evaluation } from './evaluate-model.js';
export { trainOptionsSchema, type TrainOptions } from './options.js';
export { trainModel, type TrainHooks } from './train-model.js';
