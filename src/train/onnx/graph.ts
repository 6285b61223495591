import { littleEndianFloats, littleEndianInt64s, ProtobufWriter } from './protobuf.js';

/** Operator sets written: general operators 17, classical machine learning 3; IR 8. onnxruntime reads all of them. */
const OPSET = 17;
const OPSET_ML = 3;
const IR_VERSION = 8;
const ML_DOMAIN = 'ai.onnx.ml';

const FLOAT = 1;
const INT64 = 7;
const ATTRIBUTE = { FLOAT: 1, INT: 2, STRING: 3, FLOATS: 6, INTS: 7, STRINGS: 8 } as const;

/** `{ float }` forces a float attribute where a whole number would be taken for an int. */
export type AttributeValue =
  number | string | readonly number[] | readonly string[] | Float32Array | Int32Array | { float: number };

export type Dimension = number | string;

/** Builds one ONNX model; nodes must be added in an order in which their inputs exist. */
export class OnnxGraph {
  private readonly nodes: ProtobufWriter[] = [];
  private readonly initializers: ProtobufWriter[] = [];
  private readonly inputs: ProtobufWriter[] = [];
  private readonly outputs: ProtobufWriter[] = [];
  private names = 0;
  private usesMl = false;
  private readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  private fresh(stem: string): string {
    return `${stem}_${this.names++}`;
  }

  input(name: string, shape: readonly Dimension[]): string {
    this.inputs.push(valueInfo(name, shape));
    return name;
  }

  output(name: string, shape: readonly Dimension[]): void {
    this.outputs.push(valueInfo(name, shape));
  }

  /** A float tensor stored in the model. */
  floats(values: ArrayLike<number>, dims: readonly number[] = [values.length]): string {
    return this.initializer(FLOAT, littleEndianFloats(values), dims);
  }

  /** An int64 tensor stored in the model: axes, shapes, indices. */
  int64s(values: ArrayLike<number>, dims: readonly number[] = [values.length]): string {
    return this.initializer(INT64, littleEndianInt64s(values), dims);
  }

  scalar(value: number): string {
    return this.initializer(FLOAT, littleEndianFloats([value]), []);
  }

  private initializer(type: number, raw: Uint8Array, dims: readonly number[]): string {
    const name = this.fresh('c');
    this.initializers.push(new ProtobufWriter().ints(1, dims).int(2, type).text(8, name).raw(9, raw));
    return name;
  }

  /** Adds a node with one output and returns the output's name. */
  node(
    op: string,
    inputs: readonly string[],
    attributes: Record<string, AttributeValue> = {},
    output?: string,
  ): string {
    return this.nodeN(op, inputs, attributes, [output ?? this.fresh(op.toLowerCase())])[0]!;
  }

  /** Adds a node with several outputs. */
  nodeN(
    op: string,
    inputs: readonly string[],
    attributes: Record<string, AttributeValue>,
    outputs: readonly string[],
  ): readonly string[] {
    const node = new ProtobufWriter();
    for (const input of inputs) node.text(1, input);
    for (const output of outputs) node.text(2, output);
    node.text(3, `n${this.nodes.length}`).text(4, op);
    for (const [name, value] of Object.entries(attributes)) node.message(5, attribute(name, value));
    if (op.startsWith('TreeEnsemble')) {
      node.text(7, ML_DOMAIN);
      this.usesMl = true;
    }
    this.nodes.push(node);
    return outputs;
  }

  /** The finished model file. Equal calls give equal bytes. */
  finish(metadata: Record<string, string> = {}): Uint8Array {
    const graph = new ProtobufWriter();
    for (const n of this.nodes) graph.message(1, n);
    graph.text(2, this.name);
    for (const i of this.initializers) graph.message(5, i);
    for (const i of this.inputs) graph.message(11, i);
    for (const o of this.outputs) graph.message(12, o);
    const model = new ProtobufWriter().int(1, IR_VERSION).text(2, 'portcullis').message(7, graph);
    model.message(8, new ProtobufWriter().text(1, '').int(2, OPSET));
    if (this.usesMl) model.message(8, new ProtobufWriter().text(1, ML_DOMAIN).int(2, OPSET_ML));
    for (const [key, value] of Object.entries(metadata)) {
      model.message(14, new ProtobufWriter().text(1, key).text(2, value));
    }
    return model.finish();
  }
}

function valueInfo(name: string, shape: readonly Dimension[]): ProtobufWriter {
  const dims = new ProtobufWriter();
  for (const d of shape) {
    dims.message(1, typeof d === 'number' ? new ProtobufWriter().int(1, d) : new ProtobufWriter().text(2, d));
  }
  const tensor = new ProtobufWriter().int(1, FLOAT).message(2, dims);
  return new ProtobufWriter().text(1, name).message(2, new ProtobufWriter().message(1, tensor));
}

function attribute(name: string, value: AttributeValue): ProtobufWriter {
  const out = new ProtobufWriter().text(1, name);
  if (typeof value === 'number') return out.int(3, value).int(20, ATTRIBUTE.INT);
  if (typeof value === 'string') return out.text(4, value).int(20, ATTRIBUTE.STRING);
  if (value instanceof Float32Array) return out.floats(7, value).int(20, ATTRIBUTE.FLOATS);
  if (value instanceof Int32Array) return out.ints(8, value).int(20, ATTRIBUTE.INTS);
  if ('float' in value) return out.float(2, value.float).int(20, ATTRIBUTE.FLOAT);
  if (value.every((v) => typeof v === 'string')) {
    for (const v of value) out.text(9, String(v));
    return out.int(20, ATTRIBUTE.STRINGS);
  }
  return out.ints(8, value as readonly number[]).int(20, ATTRIBUTE.INTS);
}
