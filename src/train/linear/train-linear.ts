import { fitPlatt } from '../evaluate/calibration.js';
import type { TrainedModel, Trainer, TrainerOptions, TrainingData } from '../model.js';
import { OnnxGraph } from '../onnx/graph.js';
import { addProbabilityOutputs, pairOf } from '../onnx/outputs.js';
import { createRandom, range, shuffle } from '../random.js';
import { splitByGroup } from '../table/split.js';
import { takeRows } from '../table/table.js';
import { probabilitiesOf } from '../trees/boosting.js';
import { encodeTable, fitEncoder } from './encoder.js';
import { linearOutputs, trainLogistic, type LinearModel } from './logistic.js';
import { applyFourier, fourierMap, trainLinearSvm, type FourierMap } from './svm.js';

/** Rows beyond which a seeded sample is used: dense rows cost memory, and these models gain nothing from more. */
const MAX_ROWS = 200_000;
/** The same for the kernel approximation, whose rows are 512 wide. */
const MAX_KERNEL_ROWS = 40_000;
const FOURIER_FEATURES = 512;

function sampled({ table, classes }: TrainingData, limit: number, seed: number): TrainingData {
  if (table.rows <= limit) return { table, classes };
  const rows = range(table.rows);
  shuffle(rows, createRandom(seed));
  const kept = rows.slice(0, limit).sort();
  return { table: takeRows(table, kept), classes: { ...classes, y: Uint8Array.from(kept, (r) => classes.y[r]!) } };
}

/** Adds `x W + b` for a model's outputs. */
function addLinear(graph: OnnxGraph, x: string, model: LinearModel): string {
  const weights = graph.floats(model.weights, [model.outputs, model.width]);
  return graph.node('Gemm', [x, weights, graph.floats(model.bias)], { transB: 1 });
}

function rounded(model: LinearModel): LinearModel {
  return { ...model, weights: model.weights.map(Math.fround), bias: model.bias.map(Math.fround) };
}

/** Logistic regression with L1 and L2 penalties; encoding inside the model. */
export const trainLogisticRegression: Trainer = (data, options): TrainedModel => {
  const { table, classes } = sampled(data, MAX_ROWS, options.seed);
  const k = classes.names.length;
  const encoder = fitEncoder(table, options.ignored);
  const settings = { l1: options.l1 ?? 0, l2: options.l2 ?? 1e-5, maxSteps: options.epochs ?? 150 };
  const model = rounded(
    trainLogistic(
      {
        x: encodeTable(table, encoder),
        rows: table.rows,
        width: encoder.width,
        y: classes.y,
        weight: table.weight,
        classes: k,
      },
      { ...settings, ...(options.onProgress ? { onProgress: options.onProgress } : {}) },
    ),
  );
  const graph = new OnnxGraph('logistic-regression');
  const z = addLinear(graph, encoder.addTo(graph, graph.input('x', ['N', table.columns])), model);
  addProbabilityOutputs(
    graph,
    k === 2 ? pairOf(graph, graph.node('Sigmoid', [z])) : graph.node('Softmax', [z], { axis: 1 }),
    k,
  );
  const row = new Float32Array(encoder.width);
  return {
    algorithm: 'logistic-regression',
    onnx: graph.finish(),
    reference(x, at) {
      encoder.encode(x, at, row, 0);
      return probabilitiesOf(linearOutputs(model, row, 0));
    },
    parameters: { ...settings, width: encoder.width, nonZero: model.weights.filter((w) => w !== 0).length },
  };
};

/**
 * Support vector machine, one class against the rest; margins become probabilities by Platt's sigmoid fitted on a
 * fifth of the rows that the machine has not seen. `rbf` is approximated by random Fourier features.
 */
export const trainSvm: Trainer = (data, options): TrainedModel => {
  const kernel = options.kernel ?? 'rbf';
  const { table, classes } = sampled(data, kernel === 'rbf' ? MAX_KERNEL_ROWS : MAX_ROWS, options.seed);
  const encoder = fitEncoder(table, options.ignored);
  const map =
    kernel === 'rbf' ? fourierMap(encoder.width, FOURIER_FEATURES, 1 / encoder.width, options.seed) : undefined;
  const width = map ? FOURIER_FEATURES : encoder.width;
  const x = new Float32Array(table.rows * width);
  const encoded = new Float32Array(encoder.width);
  const embed = (values: Float32Array, at: number, out: Float32Array, outAt: number): void => {
    encoder.encode(values, at, encoded, 0);
    if (map) applyFourier(map, encoded, 0, out, outAt);
    else out.set(encoded, outAt);
  };
  for (let r = 0; r < table.rows; r++) embed(table.x, r * table.columns, x, r * width);
  const { model, platt } = fitMachines({ table, classes }, x, width, options);
  const row = new Float32Array(width);
  return {
    algorithm: 'svm',
    onnx: exportSvm(table.columns, encoder, map, model, platt),
    reference(values, at) {
      embed(values, at, row, 0);
      const p = linearOutputs(model, row, 0).map((z, o) => 1 / (1 + Math.exp(platt[o]!.a * z + platt[o]!.b)));
      if (p.length === 1) return Float64Array.of(1 - p[0]!, p[0]!);
      const sum = p.reduce((a, b) => a + b, 0);
      return p.map((v) => v / sum);
    },
    parameters: { kernel, cost: SVM_COST, width, ...(map ? { gamma: 1 / encoder.width } : {}) },
  };
};

const SVM_COST = 1;

function fitMachines(
  { table, classes }: TrainingData,
  x: Float32Array,
  width: number,
  options: TrainerOptions,
): { model: LinearModel; platt: { a: number; b: number }[] } {
  const k = classes.names.length;
  const outputs = k === 2 ? 1 : k;
  const split = splitByGroup(table, { seed: options.seed, calibration: 0, test: 0.2 });
  const rowsOf = (rows: Int32Array): Float32Array => {
    const out = new Float32Array(rows.length * width);
    for (let i = 0; i < rows.length; i++) out.set(x.subarray(rows[i]! * width, (rows[i]! + 1) * width), i * width);
    return out;
  };
  const fit = rowsOf(split.train);
  const held = split.test.length > 0 ? split.test : split.train;
  const heldX = rowsOf(held);
  const model: LinearModel = {
    outputs,
    width,
    weights: new Float64Array(outputs * width),
    bias: new Float64Array(outputs),
  };
  for (let o = 0; o < outputs; o++) {
    const positive = outputs === 1 ? 1 : o;
    const sign = Int8Array.from(split.train, (r) => (classes.y[r] === positive ? 1 : -1));
    const weight = Float32Array.from(split.train, (r) => table.weight[r]!);
    const machine = trainLinearSvm(
      { x: fit, rows: split.train.length, width, sign, weight },
      { cost: SVM_COST, epochs: options.epochs ?? 20, seed: options.seed },
    );
    model.weights.set(machine.weights.map(Math.fround), o * width);
    model.bias[o] = Math.fround(machine.bias);
    options.onProgress?.(o + 1, outputs);
  }
  const platt = Array.from({ length: outputs }, (_, o) => {
    const margins = Float64Array.from(held, (_r, i) => linearOutputs(model, heldX, i * width)[o]!);
    const isPositive = Uint8Array.from(held, (r) => (classes.y[r] === (outputs === 1 ? 1 : o) ? 1 : 0));
    // Platt works on log-odds; a margin z is the log-odds of the logistic function of z.
    const fitted = fitPlatt(
      margins.map((z) => 1 / (1 + Math.exp(-Math.max(-15, Math.min(15, z))))),
      isPositive,
    );
    return fitted.method === 'platt' ? { a: Math.fround(fitted.a), b: Math.fround(fitted.b) } : { a: -1, b: 0 };
  });
  return { model, platt };
}

function exportSvm(
  columns: number,
  encoder: ReturnType<typeof fitEncoder>,
  map: FourierMap | undefined,
  model: LinearModel,
  platt: readonly { a: number; b: number }[],
): Uint8Array {
  const graph = new OnnxGraph('svm');
  let x = encoder.addTo(graph, graph.input('x', ['N', columns]));
  if (map) {
    const n = map.phases.length;
    const angle = graph.node('Gemm', [x, graph.floats(map.directions, [encoder.width, n]), graph.floats(map.phases)]);
    x = graph.node('Mul', [graph.node('Cos', [angle]), graph.scalar(map.scale)]);
  }
  const scaled = graph.node('Mul', [addLinear(graph, x, model), graph.floats(platt.map((p) => -p.a))]);
  const p = graph.node('Sigmoid', [graph.node('Sub', [scaled, graph.floats(platt.map((q) => q.b))])]);
  const sum = graph.node('ReduceSum', [p, graph.int64s([1])], { keepdims: 1 });
  const k = model.outputs === 1 ? 2 : model.outputs;
  addProbabilityOutputs(graph, k === 2 ? pairOf(graph, p) : graph.node('Div', [p, sum]), k);
  return graph.finish();
}
