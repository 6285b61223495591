import type { TrainedModel, Trainer } from '../model.js';
import { OnnxGraph } from '../onnx/graph.js';
import { addProbabilityOutputs, pairOf } from '../onnx/outputs.js';
import { splitByGroup } from '../table/split.js';
import { takeRows } from '../table/table.js';
import { BOOSTING_DEFAULTS, probabilitiesOf, trainBoosting } from './boosting.js';
import { evaluateEnsemble, nodeCount } from './ensemble.js';
import { addEnsemble } from './export.js';
import { addTargetEncoding, encodeRow, encodeRows, fitTargetEncoding } from './target-encoding.js';
import { formatTreeFile } from './tree-file.js';

/** Share of training rows that decide when to stop. */
const WATCH_SHARE = 0.1;
const WATCH_MIN_ROWS = 500;

/** Gradient-boosted trees with early stopping; the default classifier. */
export const trainGradientBoosting: Trainer = ({ table: given, classes }, options): TrainedModel => {
  const orders = options.categories === 'target' ? fitTargetEncoding(given, classes.y, options.ignored) : [];
  const table = encodeRows(given, orders);
  const k = classes.names.length;
  const watch = table.rows * WATCH_SHARE >= WATCH_MIN_ROWS;
  const split = watch ? splitByGroup(table, { seed: options.seed, calibration: 0, test: WATCH_SHARE }) : undefined;
  const fit = split ? takeRows(table, split.train) : table;
  const held = split ? takeRows(table, split.test) : undefined;
  const yOf = (rows: Int32Array | undefined): Uint8Array =>
    rows ? Uint8Array.from(rows, (r) => classes.y[r]!) : classes.y;
  const settings = {
    ...BOOSTING_DEFAULTS,
    rounds: options.trees ?? options.epochs ?? BOOSTING_DEFAULTS.rounds,
    maxLeaves: options.maxLeaves ?? (k === 2 ? BOOSTING_DEFAULTS.maxLeaves : 31),
    learningRate: options.learningRate ?? BOOSTING_DEFAULTS.learningRate,
    ...(options.onProgress ? { onProgress: options.onProgress } : {}),
  };
  const ensemble = trainBoosting(
    {
      ...fit,
      y: yOf(split?.train),
      classes: k,
      ...(held && split ? { validation: { x: held.x, rows: held.rows, y: yOf(split.test), weight: held.weight } } : {}),
    },
    settings,
  );
  const outputs = Array.from({ length: ensemble.base.length }, (_, i) => i);
  const graph = new OnnxGraph('gradient-boosting');
  const x = addTargetEncoding(graph, graph.input('x', ['N', table.columns]), table.columns, orders);
  const raw = addEnsemble(graph, x, ensemble, outputs);
  addProbabilityOutputs(
    graph,
    k === 2 ? pairOf(graph, graph.node('Sigmoid', [raw])) : graph.node('Softmax', [raw], { axis: 1 }),
    k,
  );
  const out = new Float64Array(outputs.length);
  const row = new Float32Array(table.columns);
  return {
    algorithm: 'gradient-boosting',
    onnx: graph.finish(),
    trees: formatTreeFile(ensemble, outputs, { features: table.columns, reading: 'class', orders }),
    reference(values, at) {
      row.set(values.subarray(at, at + row.length));
      encodeRow(row, 0, orders);
      evaluateEnsemble(ensemble, row, 0, out);
      return probabilitiesOf(out);
    },
    parameters: {
      rounds: ensemble.trees.length / outputs.length,
      maxLeaves: settings.maxLeaves,
      learningRate: settings.learningRate,
      lambda: settings.lambda,
      nodes: nodeCount(ensemble),
      ...(options.categories === 'target' ? { categories: 'target' } : {}),
    },
  };
};
