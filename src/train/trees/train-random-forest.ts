import type { TrainedModel, Trainer } from '../model.js';
import { OnnxGraph } from '../onnx/graph.js';
import { addProbabilityOutputs } from '../onnx/outputs.js';
import { standardise, standardiseRow } from '../table/standardise.js';
import { evaluateEnsemble, nodeCount } from './ensemble.js';
import { addEnsemble } from './export.js';
import { FOREST_DEFAULTS, trainForest } from './forest.js';
import { formatTreeFile } from './tree-file.js';

/** Standardisation and random forest in one model: the pipeline that older systems ship. */
export const trainRandomForest: Trainer = ({ table, classes }, options): TrainedModel => {
  const k = classes.names.length;
  const { mean, scale } = standardise(table);
  const x = new Float32Array(table.x.length);
  for (let r = 0; r < table.rows; r++) standardiseRow(table.x, r * table.columns, mean, scale, x, r * table.columns);
  const forest = {
    ...FOREST_DEFAULTS,
    ...(options.trees ? { trees: options.trees } : {}),
    ...(options.maxLeaves ? { maxLeaves: options.maxLeaves } : {}),
    ...(options.monotone ? { monotone: options.monotone } : {}),
    ...(options.monotoneShare === undefined ? {} : { monotoneShare: options.monotoneShare }),
    ...(options.onProgress ? { onProgress: options.onProgress } : {}),
    seed: options.seed,
  };
  const ensemble = trainForest(
    { x, rows: table.rows, columns: table.columns, y: classes.y, weight: table.weight, classes: k },
    forest,
  );
  const attacks = Array.from({ length: k - 1 }, (_, i) => i + 1);
  const graph = new OnnxGraph('random-forest');
  const input = graph.input('x', ['N', table.columns]);
  const centred = graph.node('Sub', [input, graph.floats(mean)]);
  const scaled = graph.node('Div', [centred, graph.floats(scale)]);
  const shares = addEnsemble(graph, scaled, ensemble, attacks);
  addProbabilityOutputs(graph, graph.node('Concat', [oneMinusSum(graph, shares), shares], { axis: 1 }), k);
  const row = new Float32Array(table.columns);
  return {
    algorithm: 'random-forest',
    onnx: graph.finish(),
    trees: formatTreeFile(ensemble, attacks, { features: table.columns, mean, scale, reading: 'sum' }),
    reference(values, at) {
      standardiseRow(values, at, mean, scale, row, 0);
      const out = new Float64Array(k);
      evaluateEnsemble(ensemble, row, 0, out);
      out[0] = 1 - attacks.reduce((sum, c) => sum + out[c]!, 0);
      return out;
    },
    parameters: {
      trees: forest.trees,
      maxLeaves: forest.maxLeaves,
      maxDepth: forest.maxDepth,
      nodes: nodeCount(ensemble),
    },
  };
};

/** 1 - row sum, [N, 1]: the share of class 0, which the trees do not write. */
function oneMinusSum(graph: OnnxGraph, shares: string): string {
  const sum = graph.node('ReduceSum', [shares, graph.int64s([1])], { keepdims: 1 });
  return graph.node('Sub', [graph.scalar(1), sum]);
}
