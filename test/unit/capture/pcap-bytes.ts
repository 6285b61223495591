/** Builders of capture files, byte by byte, in both byte orders; independent of the product's own writer. */

export interface Record {
  secs: number;
  /** Micro- or nanoseconds, as the file says. */
  fraction: number;
  data: Uint8Array;
  wireLen?: number;
}

class Bytes {
  private readonly parts: number[] = [];
  private readonly le: boolean;

  constructor(littleEndian: boolean) {
    this.le = littleEndian;
  }

  u8(...values: number[]): this {
    this.parts.push(...values);
    return this;
  }

  u16(value: number): this {
    const pair = [value & 255, (value >>> 8) & 255];
    return this.u8(...(this.le ? pair : pair.reverse()));
  }

  u32(value: number): this {
    const four = [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, (value >>> 24) & 255];
    return this.u8(...(this.le ? four : four.reverse()));
  }

  data(bytes: Uint8Array, align = 1): this {
    for (const byte of bytes) this.parts.push(byte);
    while (this.parts.length % align !== 0) this.parts.push(0);
    return this;
  }

  done(): Uint8Array {
    return Uint8Array.from(this.parts);
  }
}

export function pcap(
  records: readonly Record[],
  options: { littleEndian?: boolean; nano?: boolean; linkType?: number; modified?: boolean } = {},
): Uint8Array {
  const { littleEndian = true, nano = false, linkType = 1, modified = false } = options;
  const magic = modified ? 0xa1b2cd34 : nano ? 0xa1b23c4d : 0xa1b2c3d4;
  const out = new Bytes(littleEndian).u32(magic).u16(2).u16(4).u32(0).u32(0).u32(262144).u32(linkType);
  for (const { secs, fraction, data, wireLen } of records) {
    out
      .u32(secs)
      .u32(fraction)
      .u32(data.length)
      .u32(wireLen ?? data.length);
    if (modified) out.u32(0).u32(0);
    out.data(data);
  }
  return out.done();
}

/** One pcapng block around a body. */
export function block(type: number, body: Uint8Array, littleEndian = true): Uint8Array {
  const length = 12 + Math.ceil(body.length / 4) * 4;
  return new Bytes(littleEndian).u32(type).u32(length).data(body, 4).u32(length).done();
}

export function sectionHeader(littleEndian = true): Uint8Array {
  const body = new Bytes(littleEndian).u32(0x1a2b3c4d).u16(1).u16(0).u32(0xffffffff).u32(0xffffffff).done();
  return block(0x0a0d0d0a, body, littleEndian);
}

export interface InterfaceFields {
  linkType?: number;
  snapLen?: number;
  /** if_tsresol, one byte. */
  tsResol?: number;
  /** if_tsoffset, seconds. */
  tsOffsetSecs?: number;
}

export function interfaceBlock(f: InterfaceFields = {}, littleEndian = true): Uint8Array {
  const body = new Bytes(littleEndian)
    .u16(f.linkType ?? 1)
    .u16(0)
    .u32(f.snapLen ?? 0);
  // A comment first: options that are not understood are skipped.
  body.u16(1).u16(5).data(new TextEncoder().encode('hello'), 4);
  if (f.tsResol !== undefined) body.u16(9).u16(1).u8(f.tsResol, 0, 0, 0);
  if (f.tsOffsetSecs !== undefined) {
    const [high, low] = [Math.floor(f.tsOffsetSecs / 4294967296), f.tsOffsetSecs >>> 0];
    body.u16(14).u16(8);
    if (littleEndian) body.u32(low).u32(high);
    else body.u32(high).u32(low);
  }
  return block(1, body.u16(0).u16(0).done(), littleEndian);
}

export function enhancedPacket(
  id: number,
  ticks: number,
  data: Uint8Array,
  littleEndian = true,
  wireLen = data.length,
): Uint8Array {
  const body = new Bytes(littleEndian)
    .u32(id)
    .u32(Math.floor(ticks / 4294967296))
    .u32(ticks % 4294967296);
  return block(6, body.u32(data.length).u32(wireLen).data(data, 4).done(), littleEndian);
}

export function oldPacket(id: number, ticks: number, data: Uint8Array, littleEndian = true): Uint8Array {
  const body = new Bytes(littleEndian)
    .u16(id)
    .u16(0)
    .u32(Math.floor(ticks / 4294967296))
    .u32(ticks % 4294967296);
  return block(2, body.u32(data.length).u32(data.length).data(data, 4).done(), littleEndian);
}

export function simplePacket(data: Uint8Array, littleEndian = true): Uint8Array {
  return block(3, new Bytes(littleEndian).u32(data.length).data(data, 4).done(), littleEndian);
}

export function concat(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
