/** Sequence numbers are compared around the wrap of 2^32. */
export const isAfter = (a: number, b: number): boolean => ((a - b) | 0) > 0;
export const isBefore = (a: number, b: number): boolean => ((a - b) | 0) < 0;
