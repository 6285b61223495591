import { FOLD } from '../parse/content.js';
import type { ContentMatch } from '../rule.js';

/** Position of the content within `data[from .. to)`, or -1. Horspool for patterns of four bytes and more. */
export function searchContent(content: ContentMatch, data: Uint8Array, from: number, to: number): number {
  const pattern = content.bytes;
  const length = pattern.length;
  const last = to - length;
  if (from > last) return -1;
  if (length < 4) return searchShort(content, data, from, last);
  const skip = (content.skip ??= makeSkip(pattern, content.nocase));
  const end = length - 1;
  const tail = pattern[end]!;
  if (content.nocase) {
    for (let at = from; at <= last;) {
      const b = data[at + end]!;
      if (FOLD[b] === tail) {
        let i = end - 1;
        while (i >= 0 && FOLD[data[at + i]!] === pattern[i]) i--;
        if (i < 0) return at;
      }
      at += skip[b]!;
    }
    return -1;
  }
  for (let at = from; at <= last;) {
    const b = data[at + end]!;
    if (b === tail) {
      let i = end - 1;
      while (i >= 0 && data[at + i] === pattern[i]) i--;
      if (i < 0) return at;
    }
    at += skip[b]!;
  }
  return -1;
}

function searchShort(content: ContentMatch, data: Uint8Array, from: number, last: number): number {
  const pattern = content.bytes;
  for (let at = from; at <= last; at++) {
    let i = 0;
    if (content.nocase) while (i < pattern.length && FOLD[data[at + i]!] === pattern[i]) i++;
    else while (i < pattern.length && data[at + i] === pattern[i]) i++;
    if (i === pattern.length) return at;
  }
  return -1;
}

function makeSkip(pattern: Uint8Array, nocase: boolean): Uint8Array {
  const full = Math.min(255, pattern.length);
  const skip = new Uint8Array(256).fill(full);
  for (let i = 0; i < pattern.length - 1; i++) {
    const distance = Math.min(255, pattern.length - 1 - i);
    const b = pattern[i]!;
    skip[b] = distance;
    if (nocase && b >= 97 && b <= 122) skip[b - 32] = distance;
  }
  return skip;
}
