import type { Algorithm } from '../contract/model-card.js';
import { trainLogisticRegression, trainSvm } from './linear/train-linear.js';
import type { Trainer } from './model.js';
import { trainAutoencoder } from './nn/train-autoencoder.js';
import { trainCnn } from './nn/train-cnn.js';
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
  autoencoder: trainAutoencoder,
  cnn: trainCnn,
};
