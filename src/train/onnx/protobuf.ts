/** Growing byte buffer that writes the few Protocol Buffers wire types ONNX needs (encoding v3: varint, length, 32-bit). */
export class ProtobufWriter {
  private bytes = new Uint8Array(1024);
  private used = 0;

  private reserve(n: number): void {
    if (this.used + n <= this.bytes.length) return;
    const bigger = new Uint8Array(Math.max(this.bytes.length * 2, this.used + n));
    bigger.set(this.bytes.subarray(0, this.used));
    this.bytes = bigger;
  }

  /** Signed integers are written as 64-bit two's complement, as `int64` fields want. */
  private varint(value: number): void {
    this.reserve(10);
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest > 127n) {
      this.bytes[this.used++] = Number(rest & 127n) | 128;
      rest >>= 7n;
    }
    this.bytes[this.used++] = Number(rest);
  }

  int(field: number, value: number): this {
    this.varint(field * 8);
    this.varint(value);
    return this;
  }

  float(field: number, value: number): this {
    this.varint(field * 8 + 5);
    this.reserve(4);
    new DataView(this.bytes.buffer).setFloat32(this.used, value, true);
    this.used += 4;
    return this;
  }

  raw(field: number, data: Uint8Array): this {
    this.varint(field * 8 + 2);
    this.varint(data.length);
    this.reserve(data.length);
    this.bytes.set(data, this.used);
    this.used += data.length;
    return this;
  }

  text(field: number, value: string): this {
    return this.raw(field, new TextEncoder().encode(value));
  }

  message(field: number, inner: ProtobufWriter): this {
    return this.raw(field, inner.finish());
  }

  /** Packed repeated integers. */
  ints(field: number, values: Iterable<number>): this {
    const inner = new ProtobufWriter();
    for (const v of values) inner.varint(v);
    return this.raw(field, inner.finish());
  }

  /** Packed repeated floats. */
  floats(field: number, values: ArrayLike<number>): this {
    return this.raw(field, littleEndianFloats(values));
  }

  finish(): Uint8Array {
    return this.bytes.slice(0, this.used);
  }
}

/** Values as little-endian float32 bytes, whatever the machine's order. */
export function littleEndianFloats(values: ArrayLike<number>): Uint8Array {
  const out = new Uint8Array(values.length * 4);
  const view = new DataView(out.buffer);
  for (let i = 0; i < values.length; i++) view.setFloat32(i * 4, values[i]!, true);
  return out;
}

export function littleEndianInt64s(values: ArrayLike<number>): Uint8Array {
  const out = new Uint8Array(values.length * 8);
  const view = new DataView(out.buffer);
  for (let i = 0; i < values.length; i++) view.setBigInt64(i * 8, BigInt(values[i]!), true);
  return out;
}
