/** Records of addresses from a MaxMind DB file. */
export interface MaxMindDatabase {
  /**
   * The record of the longest prefix that holds the address; undefined without one, or when it is damaged. Words as of a
   * parsed address: IPv4 in the last. The same object for the same record: nobody may change it.
   */
  find(
    version: number,
    words: readonly [number, number, number, number],
  ): Readonly<Record<string, unknown>> | undefined;
}

const MARKER = Buffer.from([0xab, 0xcd, 0xef, ...Buffer.from('MaxMind.com', 'latin1')]);
const MAX_DEPTH = 16;
const MAX_CACHED = 65_536;

interface Metadata {
  nodes: number;
  recordBits: number;
  version: number;
}

/**
 * Reads the MaxMind DB format 2.0 (https://maxmind.github.io/MaxMind-DB/): a tree of prefixes over records.
 * @throws {Error} with a sentence for people when the file is none.
 */
export function openMaxMindDatabase(file: Uint8Array): MaxMindDatabase {
  const data = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const at = data.lastIndexOf(MARKER);
  if (at < 0) throw new Error('is not a MaxMind DB file');
  const meta = readMetadata(data, at + MARKER.length);
  const nodeBytes = meta.recordBits / 4;
  const sectionAt = meta.nodes * nodeBytes + 16;
  if (sectionAt > at) throw new Error('the MaxMind DB file is cut off');

  function child(node: number, bit: number): number {
    const p = node * nodeBytes;
    if (meta.recordBits === 24) return data.readUIntBE(p + 3 * bit, 3);
    if (meta.recordBits === 32) return data.readUInt32BE(p + 4 * bit);
    const middle = data[p + 3]!;
    return bit === 0
      ? (middle >> 4) * 0x1000000 + data.readUIntBE(p, 3)
      : (middle & 15) * 0x1000000 + data.readUIntBE(p + 4, 3);
  }
  function walk(node: number, words: readonly number[]): number {
    let n = node;
    for (const word of words) for (let bit = 31; bit >= 0 && n < meta.nodes; bit--) n = child(n, (word >>> bit) & 1);
    return n;
  }
  // IPv4 addresses are below ::/96 of a tree for IPv6.
  const v4Root = meta.version === 6 ? walk(0, [0, 0, 0]) : 0;
  const records = new Map<number, Record<string, unknown> | undefined>();

  function recordAt(pointer: number): Record<string, unknown> | undefined {
    if (records.has(pointer)) return records.get(pointer);
    let record: unknown;
    try {
      record = decode(data, sectionAt, sectionAt + pointer - meta.nodes - 16, 0).value;
    } catch {
      record = undefined;
    }
    const found = typeof record === 'object' && record !== null ? (record as Record<string, unknown>) : undefined;
    if (records.size >= MAX_CACHED) records.clear();
    records.set(pointer, found);
    return found;
  }

  return {
    find(version, words) {
      let node = 0;
      if (version === 4) node = walk(v4Root, [words[3]]);
      else if (meta.version === 6) node = walk(0, words);
      return node > meta.nodes ? recordAt(node) : undefined;
    },
  };
}

function readMetadata(data: Buffer, at: number): Metadata {
  const map = decode(data, at, at, 0).value as Record<string, unknown>;
  const number = (name: string): number => Number(map[name] ?? NaN);
  const meta = { nodes: number('node_count'), recordBits: number('record_size'), version: number('ip_version') };
  if (
    ![24, 28, 32].includes(meta.recordBits) ||
    !Number.isSafeInteger(meta.nodes) ||
    (meta.version !== 4 && meta.version !== 6)
  )
    throw new Error('is a MaxMind DB file of an unknown kind');
  return meta;
}

interface Decoded {
  value: unknown;
  end: number;
}

const TYPES = { pointer: 1, text: 2, double: 3, bytes: 4, u16: 5, u32: 6, map: 7, i32: 8, u64: 9, u128: 10, array: 11, boolean: 14, float: 15 }; // prettier-ignore

/** One field of the data section (format chapter "Data Section"). */
function decode(d: Buffer, section: number, from: number, depth: number): Decoded {
  if (depth > MAX_DEPTH || from >= d.length) throw new Error('the MaxMind DB file is damaged');
  let at = from;
  const control = d[at++]!;
  let type = control >> 5;
  if (type === TYPES.pointer) {
    const size = (control >> 3) & 3;
    const high = control & 7;
    const base = [0, 2048, 526_336, 0][size]!;
    const value = size === 3 ? d.readUInt32BE(at) : base + high * 256 ** (size + 1) + d.readUIntBE(at, size + 1);
    return { value: decode(d, section, section + value, depth + 1).value, end: at + size + 1 };
  }
  if (type === 0) type = 7 + d[at++]!;
  let size = control & 31;
  if (size >= 29) {
    const extra = size - 28;
    size = [0, 29, 285, 65_821][extra]! + d.readUIntBE(at, extra);
    at += extra;
  }
  if (type === TYPES.boolean) return { value: size === 1, end: at };
  if (type === TYPES.map || type === TYPES.array)
    return decodeMany(d, { section, at, size, isMap: type === TYPES.map }, depth);
  const end = at + size;
  if (end > d.length) throw new Error('the MaxMind DB file is cut off');
  if (type === TYPES.text) return { value: d.toString('utf8', at, end), end };
  if (type === TYPES.u16 || type === TYPES.u32 || type === TYPES.i32)
    return { value: size === 0 ? 0 : d.readUIntBE(at, size), end };
  if (type === TYPES.u64) return { value: d.subarray(at, end).reduce((n, b) => n * 256 + b, 0), end };
  return { value: undefined, end };
}

function decodeMany(
  d: Buffer,
  { section, at, size, isMap }: { section: number; at: number; size: number; isMap: boolean },
  depth: number,
): Decoded {
  const map: Record<string, unknown> = {};
  let end = at;
  for (let i = 0; i < size; i++) {
    const key = isMap ? decode(d, section, end, depth + 1) : { value: i, end };
    const value = decode(d, section, key.end, depth + 1);
    map[String(key.value)] = value.value;
    end = value.end;
  }
  return { value: map, end };
}
