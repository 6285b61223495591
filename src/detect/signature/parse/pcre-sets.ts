const SPACE = '\\t-\\r ';
const NOT_SPACE = '\\0-\\x08\\x0e-\\x1f!-\\xff';
const HORIZONTAL = '\\t \\xa0';
export const VERTICAL = '\\n-\\r\\x85';
/** What a POSIX class in brackets stands for. */
export const POSIX: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\0-\\x7f',
  blank: '\\t ',
  cntrl: '\\0-\\x1f\\x7f',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@[-`{-~',
  space: SPACE,
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
};

/** Escapes that stand for a set, outside and inside of brackets. */
export const SETS: Readonly<Record<string, readonly [string, string]>> = {
  s: [`[${SPACE}]`, SPACE],
  S: [`[^${SPACE}]`, NOT_SPACE],
  h: [`[${HORIZONTAL}]`, HORIZONTAL],
  H: [`[^${HORIZONTAL}]`, '\\0-\\x08\\n-\\x1f!-\\x9f\\xa1-\\xff'],
  v: [`[${VERTICAL}]`, VERTICAL],
  V: [`[^${VERTICAL}]`, '\\0-\\t\\x0e-\\x84\\x86-\\xff'],
  d: ['\\d', '\\d'],
  D: ['\\D', '\\D'],
  w: ['\\w', '\\w'],
  W: ['\\W', '\\W'],
};

/** The letters of a range in the other case. */
export function otherCase(from: number, to: number): string {
  let out = '';
  for (let b = from; b <= to; b++) {
    if (b >= 65 && b <= 90) out += hex(b + 32);
    else if (b >= 97 && b <= 122) out += hex(b - 32);
  }
  return out;
}

/** A byte as a regular expression writes it. */
export function hex(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}
