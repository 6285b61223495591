import { setFlagsFromString } from 'node:v8';
import type { PcreMatch } from '../rule.js';
import { PCRE_BUFFERS } from '../buffers.js';
import { translatePcre, type PcreFlags } from './pcre-translate.js';

// A pattern that backtracks too much goes on in V8's linear-time engine; what that engine cannot run is `guarded`.
setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks');
setFlagsFromString('--regexp-backtracks-before-fallback=20000');

export interface ParsedPcre {
  match: PcreMatch;
  /** Buffer that a flag names, or undefined for the current one. */
  buffer: string | undefined;
}

/** Reads `"/pattern/flags"`, with `!` before it for absence. */
export function parsePcre(value: string): ParsedPcre {
  const m = /^(!?)\s*"?\s*(!?)\/([\s\S]*)\/([A-Za-z]*)\s*(?:,[^"]*)?"?$/.exec(value.trim());
  if (!m) throw new Error('the pattern is not between slashes');
  const flags: PcreFlags = {
    caseless: false,
    multiline: false,
    dotAll: false,
    extended: false,
    ungreedy: false,
    dollarEndOnly: false,
  };
  let relative = false;
  let anchored = false;
  let buffer: string | undefined;
  for (const letter of m[4]!) {
    if (letter === 'i') flags.caseless = true;
    else if (letter === 'm') flags.multiline = true;
    else if (letter === 's') flags.dotAll = true;
    else if (letter === 'x') flags.extended = true;
    else if (letter === 'A') anchored = true;
    else if (letter === 'E') flags.dollarEndOnly = true;
    else if (letter === 'G') flags.ungreedy = true;
    else if (letter === 'R') relative = true;
    else if (PCRE_BUFFERS[letter] !== undefined) buffer = PCRE_BUFFERS[letter];
    else if (letter !== 'B' && letter !== 'O') throw new Error(`"${letter}" is not a flag`);
  }
  const translated = translatePcre(m[3]!, flags);
  const source = anchored ? `^(?:${translated.source})` : translated.source;
  return {
    buffer,
    match: {
      kind: 'pcre',
      regex: new RegExp(source, `g${translated.caseless ? 'i' : ''}`),
      negated: m[1] === '!' || m[2] === '!',
      relative,
      relativeNext: false,
      guarded: translated.nestedRepeat && translated.nonLinear,
      source: `/${m[3]!}/${m[4]!}`,
    },
  };
}
