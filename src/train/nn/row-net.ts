import { convSide, imageSide, sizeOf, type Net, type Parameter, type Shape } from './net.js';

export interface RowValue {
  shape: Shape;
  data: Float64Array;
}

/** Computes a network for one row in float64: the reference that exports and gradients are checked against. */
export class RowNet implements Net<RowValue> {
  private at = 0;
  private readonly parameters: readonly Parameter[];

  constructor(parameters: readonly Parameter[]) {
    this.parameters = parameters;
  }

  private next(): Float32Array {
    return this.parameters[this.at++]!.values;
  }

  dense(x: RowValue, outputs: number): RowValue {
    const w = this.next();
    const data = Float64Array.from(this.next());
    for (let i = 0; i < x.data.length; i++) {
      for (let o = 0; o < outputs; o++) data[o]! += x.data[i]! * w[i * outputs + o]!;
    }
    return { shape: [outputs], data };
  }

  relu(x: RowValue): RowValue {
    return { shape: x.shape, data: x.data.map((v) => Math.max(0, v)) };
  }

  conv(x: RowValue, channels: number, stride: 1 | 2): RowValue {
    const [inputs, height, width] = [x.shape[0]!, x.shape[1]!, x.shape[2]!];
    const w = this.next();
    const b = this.next();
    const shape = [channels, convSide(height, stride), convSide(width, stride)];
    const data = new Float64Array(sizeOf(shape));
    let at = 0;
    for (let c = 0; c < channels; c++) {
      for (let row = 0; row < shape[1]!; row++) {
        for (let column = 0; column < shape[2]!; column++) {
          let sum = b[c]!;
          for (let i = 0; i < inputs; i++) {
            for (let k = 0; k < 9; k++) {
              const y = row * stride + Math.floor(k / 3) - 1;
              const z = column * stride + (k % 3) - 1;
              if (y < 0 || z < 0 || y >= height || z >= width) continue;
              sum += x.data[(i * height + y) * width + z]! * w[(c * inputs + i) * 9 + k]!;
            }
          }
          data[at++] = sum;
        }
      }
    }
    return { shape, data };
  }

  add(a: RowValue, b: RowValue): RowValue {
    return { shape: a.shape, data: a.data.map((v, i) => v + b.data[i]!) };
  }

  concat(parts: readonly RowValue[]): RowValue {
    const data = Float64Array.from(parts.flatMap((p) => [...p.data]));
    return { shape: [data.length], data };
  }

  flatten(x: RowValue): RowValue {
    return { shape: [x.data.length], data: x.data };
  }

  channelMeans(x: RowValue): RowValue {
    const channels = x.shape[0]!;
    const area = x.data.length / channels;
    const data = new Float64Array(channels);
    for (const [i, v] of x.data.entries()) data[Math.floor(i / area)]! += v / area;
    return { shape: [channels], data };
  }

  image(x: RowValue): RowValue {
    const side = imageSide(x.data.length);
    const data = new Float64Array(side * side);
    data.set(x.data);
    return { shape: [1, side, side], data };
  }
}
