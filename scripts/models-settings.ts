import { FLOW_SCHEMA } from '../src/features/index.js';
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

/**
 * Left out of the shipped classifier besides: sizes and pace of packets differ more from network to network than from
 * benign to hostile. Counts and what came of connections, over windows of a source and a pair, carry further: on networks
 * that were held out the classifier without these reports fewer benign flows and finds more attacks (docs/models.md).
 */
const SIZE_AND_PACE =
  /^(packet_length|payload_mean|inter_arrival|packets_per_sec|packets_fwd_per_sec|packets_bwd_per_sec|bytes_|header_bytes|active|idle|ece|cwr|urg|dst_port_class)/;

export const CLASSIFIER_IGNORES = FLOW_SCHEMA.features
  .map((f) => f.name)
  .filter((name) => PLACE_FEATURES.includes(name) || SIZE_AND_PACE.test(name));

/**
 * More of these never makes a flow less suspicious to half of the trees: spread over ports and hosts, failures, and what a
 * destination has to bear. A forest without such trees takes a scan that is faster than any it was trained on for nothing
 * it knows; one of such trees alone cannot learn that a monitoring system or a peer-to-peer client is benign because it
 * does more of something. Both halves together report strong scans of tools that trained nothing (docs/models.md).
 */
export const MONOTONE_FEATURES = [
  'src_short_ports',
  'src_short_hosts',
  'src_short_syn_unanswered',
  'src_short_resets',
  'src_long_ports',
  'src_long_hosts',
  'src_long_failed_share',
  'pair_ports',
  'pair_failed_share',
  'dst_connections',
  'dst_sources',
  'dst_syn_unanswered',
  'dst_resets',
  'newcomers_unanswered',
];

/**
 * Left out of the shipped anomaly models: all but the features above. What is merely rare of a flow (its size, its pace, its
 * flags) is rare in another way in each network; what is rare and more of something that attacks do is not.
 */
export const ANOMALY_IGNORES = FLOW_SCHEMA.features.map((f) => f.name).filter((n) => !MONOTONE_FEATURES.includes(n));

/**
 * Where the shipped classifier alarms: with half a percent or less of all benign flows reported of origins that were held
 * out (docs/models.md). A threshold that spends the budget on other captures of the networks that trained is lower, and on
 * a network never seen alarms more often.
 */
export const CLASSIFIER_THRESHOLD = { value: 0.5, how: 'chosen on networks held out in turn' };

/** How the shipped classifier of flows is trained; the leave-one-source-out table is measured with the same settings. */
export function classifierOptions(change: Partial<TrainOptions> = {}): TrainOptions {
  return trainOptionsSchema.parse({
    data: ['models/base/flow.parquet'],
    out: 'models/flow-classifier',
    algorithm: 'random-forest',
    classes: 'label',
    missing: 'keep',
    ignore: CLASSIFIER_IGNORES,
    monotone: MONOTONE_FEATURES,
    monotoneShare: 0.5,
    balance: 'weights',
    falsePositiveBudget: 0.005,
    trees: 50,
    maxLeaves: 192,
    ...change,
  });
}

/**
 * Where the shipped isolation forest alarms: no benign flow of origins that were held out is reported with any of four draws
 * (docs/models.md); where the budget is spent on networks that train, monitoring systems of a network never seen are.
 */
export const ISOLATION_THRESHOLD = { value: 0.52, how: CLASSIFIER_THRESHOLD.how };

/** How the shipped anomaly models of flows are trained; the table of networks held out is measured with the same settings. */
export function anomalyOptions(algorithm: TrainOptions['algorithm'], change: Partial<TrainOptions> = {}): TrainOptions {
  return trainOptionsSchema.parse({
    data: ['models/base/flow.parquet'],
    out: '-',
    algorithm,
    missing: 'keep',
    ignore: ANOMALY_IGNORES,
    falsePositiveBudget: 0.003,
    ...change,
  });
}
