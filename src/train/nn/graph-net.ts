import type { OnnxGraph } from '../onnx/graph.js';
import type { Random } from '../random.js';
import { convSide, imageSide, sizeOf, type Net, type Parameter, type Shape } from './net.js';

export interface GraphValue {
  name: string;
  shape: Shape;
}

/** Where a network's parameters come from: fresh ones as inputs (training) or trained ones as constants (export). */
export interface ParameterSource {
  /** @param fanIn inputs of one unit, for the initial spread (He et al., 2015); 0 for biases. */
  next(shape: number[], fanIn: number): string;
}

/** Notes for each node how a gradient flows back; see {@link GraphNet.backward}. */
type Backward = (gradient: string) => void;

/** Builds a network as ONNX nodes, and the nodes of its backward pass when wanted. */
export class GraphNet implements Net<GraphValue> {
  private readonly graph: OnnxGraph;
  private readonly source: ParameterSource;
  private readonly tape: { output: string; backward: Backward }[] = [];
  private readonly gradients = new Map<string, string>();

  constructor(graph: OnnxGraph, source: ParameterSource) {
    this.graph = graph;
    this.source = source;
  }

  private note(value: GraphValue, backward: Backward): GraphValue {
    this.tape.push({ output: value.name, backward });
    return value;
  }

  private flow(to: string, gradient: string): void {
    const sum = this.gradients.get(to);
    this.gradients.set(to, sum === undefined ? gradient : this.graph.node('Add', [sum, gradient]));
  }

  /** Adds the backward pass from the gradient of `of`; afterwards {@link gradientOf} knows every parameter's. */
  backward(of: GraphValue, gradient: string): void {
    this.flow(of.name, gradient);
    for (const { output, backward } of this.tape.reverse()) {
      const g = this.gradients.get(output);
      if (g !== undefined) backward(g);
    }
  }

  gradientOf(name: string): string | undefined {
    return this.gradients.get(name);
  }

  dense(x: GraphValue, outputs: number): GraphValue {
    const { graph } = this;
    const inputs = sizeOf(x.shape);
    const w = this.source.next([inputs, outputs], inputs);
    const b = this.source.next([outputs], 0);
    const y = graph.node('Gemm', [x.name, w, b]);
    return this.note({ name: y, shape: [outputs] }, (g) => {
      this.flow(w, graph.node('Gemm', [x.name, g], { transA: 1 }));
      this.flow(b, graph.node('ReduceSum', [g, graph.int64s([0])], { keepdims: 0 }));
      this.flow(x.name, graph.node('Gemm', [g, w], { transB: 1 }));
    });
  }

  relu(x: GraphValue): GraphValue {
    const { graph } = this;
    const y = graph.node('Relu', [x.name]);
    return this.note({ name: y, shape: x.shape }, (g) => {
      const open = graph.node('Cast', [graph.node('Greater', [y, graph.scalar(0)])], { to: 1 });
      this.flow(x.name, graph.node('Mul', [g, open]));
    });
  }

  conv(x: GraphValue, channels: number, stride: 1 | 2): GraphValue {
    const { graph } = this;
    const [inputs, height, width] = [x.shape[0]!, x.shape[1]!, x.shape[2]!];
    const w = this.source.next([channels, inputs, 3, 3], inputs * 9);
    const b = this.source.next([channels], 0);
    const attributes = { kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [stride, stride] };
    const y = graph.node('Conv', [x.name, w, b], attributes);
    const shape = [channels, convSide(height, stride), convSide(width, stride)];
    return this.note({ name: y, shape }, (g) => {
      // dW is the convolution of x with dy over rows: swap rows and channels of both.
      const swapped = (v: string): string => graph.node('Transpose', [v], { perm: [1, 0, 2, 3] });
      const raw = graph.node('Conv', [swapped(x.name), swapped(g)], {
        pads: [1, 1, 1, 1],
        dilations: [stride, stride],
      });
      const cut = graph.node('Slice', [swapped(raw), graph.int64s([0, 0]), graph.int64s([3, 3]), graph.int64s([2, 3])]);
      this.flow(w, cut);
      this.flow(b, graph.node('ReduceSum', [g, graph.int64s([0, 2, 3])], { keepdims: 0 }));
      const lost = (side: number): number => (stride === 2 ? (side - 1) % 2 : 0);
      const back = { ...attributes, output_padding: [lost(height), lost(width)] };
      this.flow(x.name, graph.node('ConvTranspose', [g, w], back));
    });
  }

  add(a: GraphValue, b: GraphValue): GraphValue {
    const y = this.graph.node('Add', [a.name, b.name]);
    return this.note({ name: y, shape: a.shape }, (g) => {
      this.flow(a.name, g);
      this.flow(b.name, g);
    });
  }

  concat(parts: readonly GraphValue[]): GraphValue {
    const { graph } = this;
    const sizes = parts.map((p) => sizeOf(p.shape));
    const y = graph.node(
      'Concat',
      parts.map((p) => p.name),
      { axis: 1 },
    );
    return this.note({ name: y, shape: [sizes.reduce((a, b) => a + b, 0)] }, (g) => {
      let start = 0;
      for (const [i, part] of parts.entries()) {
        const bounds = [graph.int64s([start]), graph.int64s([start + sizes[i]!]), graph.int64s([1])];
        this.flow(part.name, graph.node('Slice', [g, ...bounds]));
        start += sizes[i]!;
      }
    });
  }

  flatten(x: GraphValue): GraphValue {
    const { graph } = this;
    const y = graph.node('Reshape', [x.name, graph.int64s([-1, sizeOf(x.shape)])]);
    return this.note({ name: y, shape: [sizeOf(x.shape)] }, (g) => {
      this.flow(x.name, graph.node('Reshape', [g, graph.int64s([-1, ...x.shape])]));
    });
  }

  channelMeans(x: GraphValue): GraphValue {
    const { graph } = this;
    const [channels, height, width] = [x.shape[0]!, x.shape[1]!, x.shape[2]!];
    const y = graph.node('ReduceMean', [x.name], { axes: [2, 3], keepdims: 0 });
    return this.note({ name: y, shape: [channels] }, (g) => {
      const share = graph.node('Mul', [g, graph.scalar(1 / (height * width))]);
      const each = graph.node('Reshape', [share, graph.int64s([-1, channels, 1, 1])]);
      this.flow(x.name, graph.node('Expand', [each, graph.node('Shape', [x.name])]));
    });
  }

  /** No gradient flows back: the image is made of the input. */
  image(x: GraphValue): GraphValue {
    const width = sizeOf(x.shape);
    const side = imageSide(width);
    const padded = this.graph.node('Pad', [x.name, this.graph.int64s([0, 0, 0, side * side - width])]);
    const name = this.graph.node('Reshape', [padded, this.graph.int64s([-1, 1, side, side])]);
    return { name, shape: [1, side, side] };
  }
}

/** Trained parameters as constants, in the order of training. */
export function constantParameters(graph: OnnxGraph, parameters: readonly Parameter[]): ParameterSource {
  let at = 0;
  return {
    next(shape) {
      const parameter = parameters[at++];
      if (!parameter || parameter.shape.join() !== shape.join()) throw new Error('network and parameters do not fit');
      return graph.floats(parameter.values, parameter.shape);
    },
  };
}

/** Fresh parameters as graph inputs `p0`, `p1`, ...; their first values are collected in `into`. */
export function freshParameters(graph: OnnxGraph, random: Random, into: Parameter[]): ParameterSource {
  return {
    next(shape, fanIn) {
      const spread = fanIn > 0 ? Math.sqrt(2 / fanIn) : 0;
      const values = Float32Array.from({ length: sizeOf(shape) }, () => (spread > 0 ? spread * random.normal() : 0));
      return graph.input(`p${into.push({ shape, values }) - 1}`, shape);
    },
  };
}
