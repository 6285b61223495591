import assert from 'node:assert/strict';
import { Tensor } from 'onnxruntime-node';
import { test } from 'node:test';
import { batchOf, buildTrainingStep, type FitData } from '../../../src/train/nn/fit.js';
import { autoencoderNet, cnnNet, type Net, type Parameter } from '../../../src/train/nn/net.js';
import { RowNet, type RowValue } from '../../../src/train/nn/row-net.js';
import { createRandom, range } from '../../../src/train/random.js';

const ROWS = 5;
const WIDTH = 13;
const CLASSES = 3;

function data(targetWidth: number, oneHot: boolean): FitData {
  const random = createRandom(5);
  const x = Float32Array.from({ length: ROWS * WIDTH }, () => random.normal());
  const target = oneHot ? new Float32Array(ROWS * targetWidth) : x;
  if (oneHot) for (let r = 0; r < ROWS; r++) target[r * targetWidth + (r % targetWidth)] = 1;
  return {
    x,
    rows: ROWS,
    width: WIDTH,
    target,
    targetWidth,
    weight: Float32Array.from({ length: ROWS }, (_, r) => 1 + r),
  };
}

/** The loss in float64 by the row evaluator, which shares no code with the graph. */
function lossOf(
  parameters: readonly Parameter[],
  d: FitData,
  kind: 'cross-entropy' | 'squares',
  build: (net: Net<RowValue>, x: RowValue) => RowValue,
): number {
  const total = d.weight.reduce((a, b) => a + b, 0);
  let loss = 0;
  for (let r = 0; r < d.rows; r++) {
    const row = Float64Array.from(d.x.subarray(r * d.width, (r + 1) * d.width));
    const out = build(new RowNet(parameters), { shape: [d.width], data: row }).data;
    const target = d.target.subarray(r * d.targetWidth, (r + 1) * d.targetWidth);
    const w = d.weight[r]! / total;
    if (kind === 'squares') loss += (w / d.targetWidth) * out.reduce((sum, v, i) => sum + (v - target[i]!) ** 2, 0);
    else {
      const top = Math.max(...out);
      const logSum = top + Math.log(out.reduce((sum, v) => sum + Math.exp(v - top), 0));
      loss -= w * out.reduce((sum, v, i) => sum + target[i]! * (v - logSum), 0);
    }
  }
  return loss;
}

for (const [name, kind, targetWidth, build] of [
  [
    'the CNN (convolution, stride, skip, concatenation, channel means)',
    'cross-entropy',
    CLASSES,
    <V>(net: Net<V>, x: V): V => cnnNet(net, x, CLASSES).logits,
  ],
  ['the autoencoder', 'squares', WIDTH, <V>(net: Net<V>, x: V): V => autoencoderNet(net, x, WIDTH)],
] as const) {
  test(`gradients of ${name} agree with finite differences of an independent evaluator`, async () => {
    const d = data(targetWidth, kind === 'cross-entropy');
    const { session, parameters } = await buildTrainingStep(build, kind, { width: WIDTH, targetWidth, seed: 3 });
    const feeds: Record<string, Tensor> = { ...batchOf(d, range(ROWS)), rate: new Tensor('float32', [0], []) };
    for (const [i, { shape, values }] of parameters.entries()) {
      feeds[`p${i}`] = new Tensor('float32', values, shape);
      for (const moment of ['m', 'v'])
        feeds[`${moment}${i}`] = new Tensor('float32', new Float32Array(values.length), shape);
    }
    const result = await session.run(feeds);
    const loss = (result['loss']!.data as Float32Array)[0]!;
    assert.ok(Math.abs(loss - lossOf(parameters, d, kind, build)) < 1e-5, 'the graph computes the loss');
    const random = createRandom(8);
    let [checked, moved] = [0, 0];
    for (const [i, parameter] of parameters.entries()) {
      // From m = 0 one Adam step gives m = 0.1 gradient.
      const m = result[`m${i}_next`]!.data as Float32Array;
      for (let k = 0; k < 8; k++) {
        const at = random.below(parameter.values.length);
        const held = parameter.values[at]!;
        const h = 1e-5;
        parameter.values[at] = held + h;
        const [up, high] = [lossOf(parameters, d, kind, build), parameter.values[at]!];
        parameter.values[at] = held - h;
        const [down, low] = [lossOf(parameters, d, kind, build), parameter.values[at]!];
        parameter.values[at] = held;
        const expected = (up - down) / (high - low);
        assert.ok(
          Math.abs(m[at]! * 10 - expected) < 2e-3 * Math.max(0.1, Math.abs(expected)) + 2e-4,
          `parameter ${i}[${at}]: ${m[at]! * 10} and ${expected}`,
        );
        checked++;
        if (Math.abs(expected) > 1e-3) moved++;
      }
    }
    assert.ok(checked >= 90 && moved > checked / 3, `${moved} of ${checked} gradients are not near zero`);
  });
}
