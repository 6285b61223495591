import { encodeTable, fitEncoder, type Encoder } from '../linear/encoder.js';
import type { TrainedModel, Trainer } from '../model.js';
import { OnnxGraph } from '../onnx/graph.js';
import { openSession, scoreRows } from '../onnx/session.js';
import { constantParameters, GraphNet } from './graph-net.js';
import { buildTrainingStep, fit } from './fit.js';
import { autoencoderNet, type Parameter } from './net.js';
import { RowNet } from './row-net.js';

const DEFAULTS = { epochs: 20, batchSize: 256, learningRate: 2e-3 };

/**
 * Autoencoder on benign rows. Score = e / (e + e95), where e is a row's mean squared error of reconstruction and e95
 * what 95 % of training rows stay below: 0.5 there, near 1 far out. `feature_error` says where the error comes from.
 */
export const trainAutoencoder: Trainer = async ({ table }, options): Promise<TrainedModel> => {
  const encoder = fitEncoder(table, options.ignored);
  const { width } = encoder;
  const settings = {
    epochs: options.epochs ?? DEFAULTS.epochs,
    batchSize: options.batchSize ?? DEFAULTS.batchSize,
    learningRate: options.learningRate ?? DEFAULTS.learningRate,
  };
  const x = encodeTable(table, encoder);
  const step = await buildTrainingStep((net, input) => autoencoderNet(net, input, width), 'squares', {
    width,
    targetWidth: width,
    seed: options.seed,
  });
  const parameters = await fit(
    step,
    { x, rows: table.rows, width, target: x, targetWidth: width, weight: table.weight },
    { ...settings, seed: options.seed, ...(options.onProgress ? { onProgress: options.onProgress } : {}) },
  );
  const draft = exportAutoencoder(table.columns, encoder, parameters, 1);
  // With e95 = 1 the score is e / (e + 1), so e = s / (1 - s).
  const scores = (await scoreRows(await openSession(draft), table.x, table.rows, table.columns)).score;
  const errors = Float64Array.from(scores, (s) => s / Math.max(1e-9, 1 - s)).sort();
  const usual = Math.fround(Math.max(1e-6, errors[Math.floor(0.95 * errors.length)] ?? 1));
  const row = new Float32Array(width);
  return {
    algorithm: 'autoencoder',
    onnx: exportAutoencoder(table.columns, encoder, parameters, usual),
    reference(values, at) {
      encoder.encode(values, at, row, 0);
      const input = Float64Array.from(row);
      const output = autoencoderNet(new RowNet(parameters), { shape: [width], data: input }, width);
      const error = input.reduce((sum, v, i) => sum + (output.data[i]! - v) ** 2, 0) / width;
      return Float64Array.of(error / (error + usual));
    },
    parameters: { ...settings, width, usualError: usual },
  };
};

function exportAutoencoder(
  columns: number,
  encoder: Encoder,
  parameters: readonly Parameter[],
  usual: number,
): Uint8Array {
  const graph = new OnnxGraph('autoencoder');
  const { width } = encoder;
  const encoded = encoder.addTo(graph, graph.input('x', ['N', columns]));
  const net = new GraphNet(graph, constantParameters(graph, parameters));
  const output = autoencoderNet(net, { name: encoded, shape: [width] }, width);
  const difference = graph.node('Sub', [output.name, encoded]);
  const squares = graph.node('Mul', [difference, difference]);
  // One product sums the squares by feature and, in the last column, their mean: unlike ReduceMean, whose rounding
  // depends on where a row lies in memory, it gives a row the same sum in every batch.
  const sums = new Float32Array(width * (columns + 1));
  for (const [i, f] of encoder.sources.entries()) {
    sums[i * (columns + 1) + f] = 1;
    sums[i * (columns + 1) + columns] = 1 / width;
  }
  const errors = graph.node('MatMul', [squares, graph.floats(sums, [width, columns + 1])]);
  graph.nodeN('Split', [errors, graph.int64s([columns, 1])], { axis: 1 }, ['feature_error', 'mean_error']);
  graph.output('feature_error', ['N', columns]);
  const error = graph.node('Squeeze', ['mean_error', graph.int64s([1])]);
  graph.node('Div', [error, graph.node('Add', [error, graph.scalar(usual)])], {}, 'score');
  graph.output('score', ['N']);
  return graph.finish();
}
