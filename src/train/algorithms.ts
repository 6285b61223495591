import type { Algorithm } from '../contract/model-card.js';
import { trainLogisticRegression, trainSvm } from './linear/train-linear.js';
import type { Trainer } from './model.js';
import { trainGradientBoosting } from './trees/train-gradient-boosting.js';
import { trainIsolation } from './trees/train-isolation-forest.js';
import { trainRandomForest } from './trees/train-random-forest.js';

/** Every algorithm of `portcullis train`, by its name there. A new one is one line here. */
export const TRAINERS: Record<Algorithm, Trainer> = {
  'random-forest': trainRandomForest,
  'gradient-boosting': trainGradientBoosting,
  'logistic-regression': trainLogisticRegression,
  svm: trainSvm,
  'isolation-forest': trainIsolation,
  // The networks bring onnxruntime along; who trains none never loads it.
  autoencoder: async (data, options) => (await import('./nn/train-autoencoder.js')).trainAutoencoder(data, options),
  cnn: async (data, options) => (await import('./nn/train-cnn.js')).trainCnn(data, options),
};
