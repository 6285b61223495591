import { trainOptionsSchema, type TrainOptions } from '../src/train/options.js';

/**
 * Left out of shipped flow models: they tell a lab's virtual wires and its hosts' defaults from other networks better
 * than they tell attacks from benign traffic.
 */
export const PLACE_FEATURES = [
  'initial_window_fwd',
  'initial_window_bwd',
  'first_reply_delay',
  'inter_arrival_fwd_min',
  'inter_arrival_bwd_min',
  'inter_arrival_all_min',
];

/** How the shipped classifier of flows is trained; the leave-one-source-out table is measured with the same settings. */
export function classifierOptions(change: Partial<TrainOptions> = {}): TrainOptions {
  return trainOptionsSchema.parse({
    data: ['models/base/flow.parquet'],
    out: 'models/flow-classifier',
    algorithm: 'random-forest',
    classes: 'label',
    missing: 'keep',
    ignore: PLACE_FEATURES,
    balance: 'weights',
    falsePositiveBudget: 0.003,
    trees: 50,
    maxLeaves: 192,
    ...change,
  });
}
