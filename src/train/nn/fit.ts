import { Tensor, type InferenceSession } from 'onnxruntime-node';
import { OnnxGraph } from '../onnx/graph.js';
import { openSession } from '../onnx/session.js';
import { createRandom, range, shuffle } from '../random.js';
import { freshParameters, GraphNet, type GraphValue } from './graph-net.js';
import type { Parameter } from './net.js';

const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-8;

export interface FitOptions {
  epochs: number;
  batchSize: number;
  learningRate: number;
  seed: number;
  onProgress?: (done: number, total: number) => void;
}

export interface FitData {
  /** Encoded rows, row-major. */
  x: Float32Array;
  rows: number;
  width: number;
  /** Targets, row-major: one-hot classes for `cross-entropy`, the rows themselves for `squares`. */
  target: Float32Array;
  targetWidth: number;
  weight: Float32Array;
}

export interface TrainingStep {
  session: InferenceSession;
  parameters: Parameter[];
}

/**
 * One training step as one ONNX graph: forward, loss, backward and Adam (Kingma and Ba, 2015). Inputs: x, y, weight
 * (shares of the batch that add up to 1), rate, and p, m, v of every parameter; outputs: the loss and new p, m, v.
 */
export async function buildTrainingStep(
  build: (net: GraphNet, x: GraphValue) => GraphValue,
  loss: 'cross-entropy' | 'squares',
  sizes: { width: number; targetWidth: number; seed: number },
): Promise<TrainingStep> {
  const graph = new OnnxGraph('training-step');
  const x = { name: graph.input('x', ['N', sizes.width]), shape: [sizes.width] };
  const y = graph.input('y', ['N', sizes.targetWidth]);
  const weight = graph.input('weight', ['N', 1]);
  const rate = graph.input('rate', []);
  const parameters: Parameter[] = [];
  const net = new GraphNet(graph, freshParameters(graph, createRandom(sizes.seed), parameters));
  const output = build(net, x);
  net.backward(
    output,
    loss === 'squares'
      ? addSquares(graph, output.name, y, weight, sizes.targetWidth)
      : addCrossEntropy(graph, output.name, y, weight),
  );
  graph.output('loss', []);
  for (const [i, { shape }] of parameters.entries()) {
    const gradient = net.gradientOf(`p${i}`);
    if (gradient === undefined) throw new Error(`no gradient reaches parameter ${i}`);
    addAdam(graph, i, gradient, shape, rate);
  }
  return { session: await openSession(graph.finish()), parameters };
}

function addCrossEntropy(graph: OnnxGraph, logits: string, y: string, weight: string): string {
  const p = graph.node('Softmax', [logits], { axis: 1 });
  const logs = graph.node('LogSoftmax', [logits], { axis: 1 });
  const cost = graph.node('Mul', [graph.node('Mul', [logs, y]), weight]);
  graph.node('Neg', [graph.node('ReduceSum', [cost], { keepdims: 0 })], {}, 'loss');
  return graph.node('Mul', [graph.node('Sub', [p, y]), weight]);
}

function addSquares(graph: OnnxGraph, output: string, y: string, weight: string, width: number): string {
  const difference = graph.node('Sub', [output, y]);
  const share = graph.node('Mul', [weight, graph.scalar(1 / width)]);
  const cost = graph.node('Mul', [graph.node('Mul', [difference, difference]), share]);
  graph.node('ReduceSum', [cost], { keepdims: 0 }, 'loss');
  return graph.node('Mul', [graph.node('Mul', [difference, graph.scalar(2)]), share]);
}

function addAdam(graph: OnnxGraph, i: number, gradient: string, shape: readonly number[], rate: string): void {
  const m = graph.input(`m${i}`, shape);
  const v = graph.input(`v${i}`, shape);
  const blend = (old: string, beta: number, now: string, name: string): string =>
    graph.node(
      'Add',
      [graph.node('Mul', [old, graph.scalar(beta)]), graph.node('Mul', [now, graph.scalar(1 - beta)])],
      {},
      name,
    );
  const m1 = blend(m, BETA1, gradient, `m${i}_next`);
  const v1 = blend(v, BETA2, graph.node('Mul', [gradient, gradient]), `v${i}_next`);
  const size = graph.node('Add', [graph.node('Sqrt', [v1]), graph.scalar(EPSILON)]);
  const step = graph.node('Mul', [rate, graph.node('Div', [m1, size])]);
  graph.node('Sub', [`p${i}`, step], {}, `p${i}_next`);
  for (const kind of ['p', 'm', 'v']) graph.output(`${kind}${i}_next`, shape);
}

/** Trains by seeded mini-batches; the step size falls to a tenth over the run (cosine). */
export async function fit(
  { session, parameters }: TrainingStep,
  data: FitData,
  options: FitOptions,
): Promise<Parameter[]> {
  let state: Record<string, Tensor> = {};
  for (const [i, { shape, values }] of parameters.entries()) {
    state[`p${i}`] = new Tensor('float32', values, shape);
    for (const kind of ['m', 'v']) state[`${kind}${i}`] = new Tensor('float32', new Float32Array(values.length), shape);
  }
  const order = range(data.rows);
  const random = createRandom(options.seed);
  const batches = Math.ceil(data.rows / options.batchSize);
  const steps = batches * options.epochs;
  let step = 0;
  for (let epoch = 0; epoch < options.epochs; epoch++) {
    shuffle(order, random);
    for (let b = 0; b < batches; b++) {
      step++;
      const rows = order.subarray(b * options.batchSize, Math.min(data.rows, (b + 1) * options.batchSize));
      const rate = options.learningRate * (0.55 + 0.45 * Math.cos((Math.PI * step) / steps));
      const corrected = (rate * Math.sqrt(1 - BETA2 ** step)) / (1 - BETA1 ** step);
      const result = await session.run({
        ...state,
        ...batchOf(data, rows),
        rate: new Tensor('float32', [corrected], []),
      });
      state = Object.fromEntries(
        Object.entries(result)
          .filter(([name]) => name !== 'loss')
          .map(([name, tensor]) => [name.replace('_next', ''), tensor]),
      ) as Record<string, Tensor>;
      if ((step & 15) === 0 || step === steps) options.onProgress?.(step, steps);
    }
  }
  const trained = parameters.map(({ shape }, i) => ({
    shape,
    values: Float32Array.from(state[`p${i}`]!.data as Float32Array),
  }));
  if (trained.some((p) => p.values.some((v) => !Number.isFinite(v))))
    throw new Error('training diverged; try a smaller --learning-rate');
  return trained;
}

/** Tensors of the chosen rows; weights are shares of the batch. */
export function batchOf(data: FitData, rows: Int32Array): Record<string, Tensor> {
  const n = rows.length;
  const x = new Float32Array(n * data.width);
  const y = new Float32Array(n * data.targetWidth);
  const weight = new Float32Array(n);
  let total = 0;
  for (const r of rows) total += data.weight[r]!;
  for (let i = 0; i < n; i++) {
    const r = rows[i]!;
    x.set(data.x.subarray(r * data.width, (r + 1) * data.width), i * data.width);
    y.set(data.target.subarray(r * data.targetWidth, (r + 1) * data.targetWidth), i * data.targetWidth);
    weight[i] = data.weight[r]! / total;
  }
  return {
    x: new Tensor('float32', x, [n, data.width]),
    y: new Tensor('float32', y, [n, data.targetWidth]),
    weight: new Tensor('float32', weight, [n, 1]),
  };
}
