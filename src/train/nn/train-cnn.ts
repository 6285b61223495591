import '../../util/no-telemetry.js';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { encodeTable, fitEncoder, type Encoder } from '../linear/encoder.js';
import type { TrainedModel, Trainer } from '../model.js';
import { OnnxGraph } from '../onnx/graph.js';
import { addProbabilityOutputs } from '../onnx/outputs.js';
import { createRandom, range, shuffle } from '../random.js';
import { takeRows } from '../table/table.js';
import { buildTrainingStep, fit } from './fit.js';
import { constantParameters, GraphNet } from './graph-net.js';
import { fitMahalanobis, type Mahalanobis } from './mahalanobis.js';
import { CNN_FEATURES, cnnNet, type Parameter } from './net.js';
import { RowNet } from './row-net.js';

const DEFAULTS = { epochs: 10, batchSize: 256, learningRate: 1e-3 };
/** Rows beyond which a seeded sample trains: a pass over them takes most of a minute. */
const MAX_ROWS = 150_000;
const NOVELTY_ROWS = 20_000;

/**
 * Deep concatenated CNN with an open-set output: `novelty` is the Mahalanobis distance of the last hidden layer to the
 * nearest class mean (Lee et al., 2018); far from all of them is none of them.
 */
export const trainCnn: Trainer = async (data, options): Promise<TrainedModel> => {
  const order = range(data.table.rows);
  shuffle(order, createRandom(options.seed));
  const rows = order.slice(0, MAX_ROWS).sort();
  const table = rows.length < data.table.rows ? takeRows(data.table, rows) : data.table;
  const y = rows.length < data.table.rows ? Uint8Array.from(rows, (r) => data.classes.y[r]!) : data.classes.y;
  const k = data.classes.names.length;
  const encoder = fitEncoder(table, options.ignored);
  const { width } = encoder;
  const settings = {
    epochs: options.epochs ?? DEFAULTS.epochs,
    batchSize: options.batchSize ?? DEFAULTS.batchSize,
    learningRate: options.learningRate ?? DEFAULTS.learningRate,
  };
  const x = encodeTable(table, encoder);
  const target = new Float32Array(table.rows * k);
  for (let r = 0; r < table.rows; r++) target[r * k + y[r]!] = 1;
  const step = await buildTrainingStep((net, input) => cnnNet(net, input, k).logits, 'cross-entropy', {
    width,
    targetWidth: k,
    seed: options.seed,
  });
  const parameters = await fit(
    step,
    { x, rows: table.rows, width, target, targetWidth: k, weight: table.weight },
    { ...settings, seed: options.seed, ...(options.onProgress ? { onProgress: options.onProgress } : {}) },
  );
  const hidden = await hiddenRows(parameters, x, Math.min(NOVELTY_ROWS, table.rows), width, k);
  const distance = fitMahalanobis(hidden, CNN_FEATURES, y, k);
  const row = new Float32Array(width);
  return {
    algorithm: 'cnn',
    onnx: exportCnn(table.columns, encoder, parameters, distance, k),
    reference(values, at) {
      encoder.encode(values, at, row, 0);
      const { logits } = cnnNet(new RowNet(parameters), { shape: [width], data: Float64Array.from(row) }, k);
      const top = Math.max(...logits.data);
      const e = logits.data.map((v) => Math.exp(v - top));
      const sum = e.reduce((a, b) => a + b, 0);
      return e.map((v) => v / sum);
    },
    parameters: { ...settings, width, weights: parameters.reduce((n, p) => n + p.values.length, 0) },
  };
};

/** The last hidden layer of the first `rows` encoded rows. */
async function hiddenRows(
  parameters: Parameter[],
  x: Float32Array,
  rows: number,
  width: number,
  classes: number,
): Promise<Float32Array> {
  const graph = new OnnxGraph('cnn-hidden');
  const input = graph.input('x', ['N', width]);
  const { feature } = cnnNet(
    new GraphNet(graph, constantParameters(graph, parameters)),
    { name: input, shape: [width] },
    classes,
  );
  graph.node('Identity', [feature.name], {}, 'feature');
  graph.output('feature', ['N', CNN_FEATURES]);
  const session = await InferenceSession.create(graph.finish(), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const out = new Float32Array(rows * CNN_FEATURES);
  for (let start = 0; start < rows; start += 512) {
    const n = Math.min(512, rows - start);
    const result = await session.run({
      x: new Tensor('float32', x.slice(start * width, (start + n) * width), [n, width]),
    });
    out.set(result['feature']!.data as Float32Array, start * CNN_FEATURES);
  }
  return out;
}

function exportCnn(
  columns: number,
  encoder: Encoder,
  parameters: Parameter[],
  distance: Mahalanobis,
  classes: number,
): Uint8Array {
  const graph = new OnnxGraph('cnn');
  const encoded = encoder.addTo(graph, graph.input('x', ['N', columns]));
  const net = new GraphNet(graph, constantParameters(graph, parameters));
  const { logits, feature } = cnnNet(net, { name: encoded, shape: [encoder.width] }, classes);
  const n = CNN_FEATURES;
  const whitened = graph.node('MatMul', [feature.name, graph.floats(distance.whitening, [n, n])]);
  const each = graph.node('Unsqueeze', [whitened, graph.int64s([1])]);
  const away = graph.node('Sub', [each, graph.floats(distance.centres, [1, distance.centres.length / n, n])]);
  const squares = graph.node('ReduceSum', [graph.node('Mul', [away, away]), graph.int64s([2])], { keepdims: 0 });
  const novelty = graph.node('Sqrt', [graph.node('ReduceMin', [squares], { axes: [1], keepdims: 0 })]);
  addProbabilityOutputs(graph, graph.node('Softmax', [logits.name], { axis: 1 }), classes, novelty);
  return graph.finish();
}
