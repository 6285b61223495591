/**
 * True when a Content-Range value (RFC 9110 14.4) cannot be understood, or ends before it begins or behind what it says is
 * the whole. A range of all, or one that leaves its size open, is not looked at further.
 */
export function isBadRange(value: string): boolean {
  const parts = /^ *[^ ]+ +(?:(\d+)-(\d+)|\*)\/(\d+|\*)/.exec(value);
  if (parts === null) return true;
  const [, from, to, all] = parts;
  if (from === undefined || all === '*') return false;
  const [start, end, size] = [Number(from), Number(to), Number(all)];
  if (end === 0 || size === 0 || (start === 0 && end === size - 1)) return false;
  return start > end || end > size - 1;
}
