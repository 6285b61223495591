/**
 * Where things are in the scanner's memory, in bytes. Below `TABLES` everything is fixed; pattern sets follow.
 *
 * Pattern: length, 1 when letters match in both cases, number of the last scan that found it, its index, then its bytes.
 * Entry: folded gram, next entry or 0, pattern, position of the gram within the pattern, upper half of a long gram.
 * Gram class: shift, address of the filter words, address of the chains' first entries (as many as words).
 * Nibble class: tables of 16 bytes for the low and high nibble of the first byte, the second and so on; chains of patterns
 * shorter than a gram, by bit; which bits have one; the gram class of all other patterns.
 * Set: gram classes for every fourth, every second and every byte, address of its output, nibble classes, gram class of
 * long grams for every fourth byte; 0 where it has none.
 */
export const FOLD_TABLE = 0;
export const SCRATCH = 256;
export const INPUT = 1024;
/** Bytes that fit into one scan. */
export const INPUT_BYTES = 131_072;
/** Vectors and grams are read beyond the input's end. */
const SLACK = 64;
export const TABLES = INPUT + INPUT_BYTES + SLACK;

export const PATTERN = { LENGTH: 0, NOCASE: 4, FOUND_IN: 8, INDEX: 12, BYTES: 16 } as const;
export const ENTRY = { GRAM: 0, NEXT: 4, PATTERN: 8, AT: 12, SIZE: 16, UPPER: 16, LONG_SIZE: 20 } as const;
export const GRAM_CLASS = { SHIFT: 0, FILTER: 4, CHAINS: 8, SIZE: 12 } as const;
export const NIBBLE_CLASS = { WIDTH: 4, CHAINS: 128, SHORT: 160, GRAMS: 164, SIZE: 168 } as const;
/** Bytes of a set; `OUTPUT` is where the indices of found patterns go. */
export const SET = { FOURTH: 0, SECOND: 4, EVERY: 8, OUTPUT: 12, NIBBLES: 16, LONG: 32, SIZE: 36 } as const;
/** Nibble classes of a set. */
export const MAX_NIBBLE_CLASSES = 4;

/** Multiplier of the hash of a folded gram (2^32 divided by the golden ratio). */
export const HASH = 0x9e3779b1;
/** Makes letters of four bytes lower case, and some other bytes equal: what it finds is compared. */
export const FOLD_BITS = 0x20202020;
/** The same for eight bytes. */
export const LONG_HASH = 0x9e3779b97f4a7c15n;
export const LONG_FOLD_BITS = 0x2020202020202020n;
