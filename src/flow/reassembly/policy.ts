import type { StreamPolicy } from './options.js';

/**
 * Whether the bytes of a new segment `[begin, end)` replace those of an earlier one `[oldBegin, oldEnd)` where they
 * overlap (Novak and Sturges, "Target-Based TCP Stream Reassembly", 2007).
 */
export function newWins(policy: StreamPolicy, begin: number, end: number, oldBegin: number, oldEnd: number): boolean {
  switch (policy) {
    case 'first':
      return false;
    case 'last':
      return true;
    case 'bsd':
      return begin < oldBegin;
    case 'linux':
      return begin < oldBegin || (begin === oldBegin && end > oldEnd);
    case 'old_linux':
    case 'solaris':
      return begin <= oldBegin && end >= oldEnd;
    case 'windows':
      return begin < oldBegin && end > oldEnd;
  }
}
