/** ASCII text as bytes, for comparisons on the packet path. */
export function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** True when `data[at..end)` begins with `prefix`. */
export function startsWith(data: Uint8Array, at: number, end: number, prefix: Uint8Array): boolean {
  if (end - at < prefix.length) return false;
  for (let i = 0; i < prefix.length; i++) if (data[at + i] !== prefix[i]) return false;
  return true;
}

/** Offset of `needle` in `data[at..end)` without regard to the case of ASCII letters; -1 if absent. `needle` is lower case. */
export function indexOfNoCase(data: Uint8Array, at: number, end: number, needle: Uint8Array): number {
  const first = needle[0]!;
  const last = end - needle.length;
  for (let i = at; i <= last; i++) {
    if (lower(data[i]!) !== first) continue;
    let j = 1;
    while (j < needle.length && lower(data[i + j]!) === needle[j]) j++;
    if (j === needle.length) return i;
  }
  return -1;
}

function lower(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte + 32 : byte;
}

/** FNV-1a over `data[at..end)`, 32 bits. */
export function fnv1a(data: Uint8Array, at: number, end: number): number {
  let h = 0x811c9dc5;
  for (let i = at; i < end; i++) h = Math.imul(h ^ data[i]!, 0x01000193);
  return h >>> 0;
}

/** Offset of the end of the word (blank, CR, LF or `end`) that begins at `at`. */
export function wordEnd(data: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end && data[i] !== 0x20 && data[i] !== 0x0d && data[i] !== 0x0a) i++;
  return i;
}
