/** Headers of objects of one message that are read. */
const MAX_HEADERS = 256;
/** Groups whose points carry their own length before them, or whose variation is their length (IEEE 1815, annex A). */
const STRINGS = new Set([110, 111, 112, 113]);

/** Bytes of one point by group, from variation 1 on (IEEE 1815, annex A); -1 and -2: so many bits; 0: of any length. */
const SIZES: Readonly<Record<number, readonly number[]>> = {
  1: [-1, 1],
  2: [1, 7, 3],
  3: [-2, 1],
  4: [1, 7, 3],
  10: [-1, 1],
  11: [1, 7],
  12: [11, 11, -1],
  13: [1, 7],
  20: [5, 3, 5, 3, 4, 2, 4, 2],
  21: [5, 3, 5, 3, 11, 9, 11, 9, 4, 2, 4, 2],
  22: [5, 3, 5, 3, 11, 9, 11, 9],
  23: [5, 3, 5, 3, 11, 9, 11, 9],
  30: [5, 3, 4, 2, 5, 9],
  31: [5, 3, 11, 9, 4, 2, 5, 9],
  32: [5, 3, 11, 9, 5, 9, 11, 15],
  33: [5, 3, 11, 9, 5, 9, 11, 15],
  34: [2, 4, 4],
  40: [5, 3, 5, 9],
  41: [5, 3, 5, 9],
  42: [5, 3, 11, 9, 5, 9, 11, 15],
  43: [5, 3, 11, 9, 5, 9, 11, 15],
  50: [6, 10, 6, 11],
  51: [6, 6],
  52: [2, 2],
  70: [0, 0, 0, 0, 0, 0, 0, 0],
  80: [-1],
  81: [3],
  82: [0],
  83: [0, 0],
  86: [0, 0, 1],
  87: [0],
  88: [0],
  91: [0],
  101: [2, 4, 8],
  102: [1],
  120: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  121: [7],
  122: [7, 13],
};

export interface Dnp3Objects {
  /** `GROUP,VARIATION` of each header. */
  names: string[];
  /** An object is of no known kind, or its points are not there. */
  isUnknown: boolean;
}

/** The objects of an application message, behind its function and indications, as far as they are known. */
export function readObjects(d: Uint8Array): Dnp3Objects {
  const names: string[] = [];
  let at = 0;
  while (at + 3 <= d.length && names.length < MAX_HEADERS) {
    const [group, variation, qualifier] = [d[at]!, d[at + 1]!, d[at + 2]!];
    names.push(`${group},${variation}`);
    const range = rangeOf(d, at + 3, qualifier & 15);
    if (range === undefined) break;
    at += 3 + range.bytes;
    if (variation === 0 || range.count === 0) continue;
    const points = pointBytes(d.subarray(at), { group, variation, prefix: (qualifier >> 4) & 7, count: range.count });
    if (points === undefined) return { names, isUnknown: true };
    at += points;
  }
  return { names, isUnknown: false };
}

const little = (d: Uint8Array, at: number, bytes: number): number =>
  d.subarray(at, at + bytes).reduceRight((n, byte) => n * 256 + byte, 0);

/** Widths of the fields of a range by its code (IEEE 1815 4.2.2.7.3): a beginning and an end, or a count. */
const STARTS: Readonly<Record<number, number>> = { 0: 1, 1: 2, 2: 4, 3: 1, 4: 2, 5: 4 };
const COUNTS: Readonly<Record<number, number>> = { 6: 0, 7: 1, 8: 2, 9: 4, 11: 1 };

/** How many points follow, and the bytes that say so; undefined where it is reserved or cut. */
function rangeOf(d: Uint8Array, at: number, code: number): { count: number; bytes: number } | undefined {
  const start = STARTS[code];
  const width = start ?? COUNTS[code];
  if (width === undefined) return undefined;
  const bytes = start === undefined ? width : 2 * width;
  if (at + bytes > d.length) return undefined;
  if (start === undefined) return { count: little(d, at, width), bytes };
  return { count: Math.max(0, little(d, at + width, width) - little(d, at, width) + 1), bytes };
}

/** Widths of what stands before each point by its code: an index, or its length. */
const INDEXES: Readonly<Record<number, number>> = { 0: 0, 1: 1, 2: 2, 3: 4 };
const LENGTHS: Readonly<Record<number, number>> = { 4: 1, 5: 2, 6: 4 };

/** Bytes of all points; undefined when the object is not known or the points are not all there. */
function pointBytes(d: Uint8Array, o: { group: number; variation: number; prefix: number; count: number }): number | undefined {
  const size = STRINGS.has(o.group) ? o.variation : SIZES[o.group]?.[o.variation - 1];
  if (size === undefined) return undefined;
  const width = LENGTHS[o.prefix];
  let bytes: number;
  if (width !== undefined) {
    bytes = 0;
    for (let n = 0; n < o.count; n++) {
      bytes += width + little(d, bytes, width);
      if (bytes > d.length) return undefined;
    }
  } else {
    const index = INDEXES[o.prefix];
    if (index === undefined || size === 0) return undefined;
    bytes = size < 0 ? Math.ceil((o.count * -size) / 8) + index * o.count : o.count * (index + size);
  }
  return bytes > d.length ? undefined : bytes;
} // prettier-ignore
