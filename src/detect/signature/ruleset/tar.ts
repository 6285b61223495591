const BLOCK = 512;

/** A regular file of an archive. */
export interface TarFile {
  path: string;
  data: Uint8Array;
}

function text(d: Uint8Array, from: number, length: number): string {
  const field = d.subarray(from, from + length);
  const end = field.indexOf(0);
  return Buffer.from(end < 0 ? field : field.subarray(0, end)).toString('utf8');
}

/** Octal digits, or a big-endian number marked by its first bit (GNU). */
function size(header: Uint8Array): number {
  if ((header[124]! & 0x80) === 0) return parseInt(text(header, 124, 12).trim() || '0', 8);
  return header.subarray(125, 136).reduce((n, b) => n * 256 + b, 0);
}

function isSound(header: Uint8Array): boolean {
  const stated = parseInt(text(header, 148, 8).trim(), 8);
  let sum = 0;
  for (let i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? 32 : header[i]!;
  return sum === stated;
}

/** Records `length key=value` of a pax header (POSIX.1-2001). */
function paxPath(data: Uint8Array): string | undefined {
  return /(?:^|\n)\d+ path=([^\n]*)\n/.exec(Buffer.from(data).toString('utf8'))?.[1];
}

/**
 * Regular files of a tar archive (ustar, pax and GNU long names); links, devices and folders are left out.
 * @throws {Error} when the archive is damaged or cut off.
 */
export function* readTar(d: Uint8Array): Generator<TarFile> {
  let longName: string | undefined;
  for (let at = 0; at + BLOCK <= d.length;) {
    const header = d.subarray(at, at + BLOCK);
    if (header.every((b) => b === 0)) return;
    if (!isSound(header)) throw new Error('the archive is damaged: a header has a wrong checksum');
    const length = size(header);
    const begin = at + BLOCK;
    if (!Number.isSafeInteger(length) || begin + length > d.length) throw new Error('the archive is cut off');
    const data = d.subarray(begin, begin + length);
    at = begin + Math.ceil(length / BLOCK) * BLOCK;
    const type = String.fromCharCode(header[156]!);
    if (type === 'x') longName = paxPath(data) ?? longName;
    else if (type === 'L') longName = text(data, 0, data.length);
    else {
      const prefix = text(header, 257, 5) === 'ustar' ? text(header, 345, 155) : '';
      const name = text(header, 0, 100);
      if (type === '0' || type === '\0') yield { path: longName ?? (prefix === '' ? name : `${prefix}/${name}`), data };
      longName = undefined;
    }
  }
  throw new Error('the archive is cut off');
}
