import type { TrainedModel, Trainer } from '../model.js';
import { OnnxGraph } from '../onnx/graph.js';
import { evaluateEnsemble, nodeCount } from './ensemble.js';
import { addEnsemble } from './export.js';
import { ISOLATION_DEFAULTS, meanPathLength, trainIsolationForest } from './isolation-forest.js';
import { formatTreeFile } from './tree-file.js';

/** Isolation forest on benign rows; score 2^(-mean path / expected path), near 1 for what is easily set apart. */
export const trainIsolation: Trainer = ({ table }, options): TrainedModel => {
  const trees = options.trees ?? ISOLATION_DEFAULTS.trees;
  const sample = ISOLATION_DEFAULTS.sample;
  const ensemble = trainIsolationForest(table, {
    trees,
    sample,
    seed: options.seed,
    ...(options.onProgress ? { onProgress: options.onProgress } : {}),
  });
  const expected = meanPathLength(Math.min(sample, table.rows));
  const graph = new OnnxGraph('isolation-forest');
  const path = addEnsemble(graph, graph.input('x', ['N', table.columns]), ensemble, [0]);
  const exponent = graph.node('Mul', [path, graph.scalar(-1 / expected)]);
  const score = graph.node('Pow', [graph.scalar(2), exponent]);
  graph.node('Squeeze', [score, graph.int64s([1])], {}, 'score');
  graph.output('score', ['N']);
  const out = new Float64Array(1);
  return {
    algorithm: 'isolation-forest',
    onnx: graph.finish(),
    trees: formatTreeFile(ensemble, [0], { features: table.columns, reading: 'negative' }),
    reference(x, at) {
      evaluateEnsemble(ensemble, x, at, out);
      return Float64Array.of(2 ** (-out[0]! / expected));
    },
    parameters: { trees, sample, nodes: nodeCount(ensemble) },
  };
};
