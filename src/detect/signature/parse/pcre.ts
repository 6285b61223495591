import type { Capture, PcreMatch } from '../rule.js';
import { PCRE_BUFFERS } from '../buffers.js';
import { BoundedPattern } from '../match/guard.js';
import { translatePcre, type PcreFlags, type TranslatedPattern } from './pcre-translate.js';

export interface ParsedPcre {
  match: PcreMatch;
  /** Buffer that a flag names, or undefined for the current one. */
  buffer: string | undefined;
}

/** Reads `"/pattern/flags"`, with `!` before it for absence. */
export function parsePcre(value: string): ParsedPcre {
  const m = /^(!?)\s*"?\s*(!?)\/([\s\S]*)\/([A-Za-z]*)\s*(?:,([^"]*))?"?$/.exec(value.trim());
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
    else if (PCRE_BUFFERS[letter] !== undefined) {
      if (buffer !== undefined) throw new Error('two flags name a buffer');
      buffer = PCRE_BUFFERS[letter];
    } else if (letter !== 'B' && letter !== 'O') throw new Error(`"${letter}" is not a flag`);
  }
  const translated = translatePcre(m[3]!, flags);
  if (buffer === 'http.host' && !translated.caseless && /[A-Z]/.test(m[3]!.replace(/\\./g, '')))
    throw new Error('the host is in lower case, and the pattern is not');
  const source = anchored ? `^(?:${translated.source})` : translated.source;
  return {
    buffer,
    match: {
      kind: 'pcre',
      pattern: new BoundedPattern(source, translated.caseless),
      negated: m[1] === '!' || m[2] === '!',
      relative,
      relativeNext: false,
      captures: [...namedCaptures(translated.named), ...listedCaptures(m[5], translated.groups)],
      source: `/${m[3]!}/${m[4]!}`,
    },
  };
}

/** `(?P<flow_NAME>...)` and `(?P<pkt_NAME>...)`. */
function namedCaptures(named: TranslatedPattern['named']): Capture[] {
  const captures: Capture[] = [];
  for (const { name, group } of named) {
    const m = /^(flow|pkt)_(.+)$/.exec(name);
    if (m) captures.push({ scope: m[1] === 'flow' ? 'flow' : 'packet', name: m[2]!, group });
  }
  return captures;
}

/**
 * `, flow:NAME, pkt:NAME` behind the flags: names for the groups in their order.
 * @throws {Error} when there are more names than groups, or a name is of something else.
 */
function listedCaptures(list: string | undefined, groups: readonly number[]): Capture[] {
  const names = (list ?? '').split(/[\s,]+/).filter((name) => name !== '');
  return names.flatMap((text, i): Capture[] => {
    const m = /^(flow|pkt|alert):(\w+)$/.exec(text);
    if (!m) throw new Error(`"${text}" is not a name for a capture, such as flow:name`);
    const group = groups[i + 1];
    if (group === undefined) {
      if (groups.length > 1) throw new Error(`there are ${names.length} names for ${groups.length - 1} groups`);
      return [];
    }
    // What is kept for the alert itself stands in its matched bytes.
    return m[1] === 'alert' ? [] : [{ scope: m[1] === 'flow' ? 'flow' : 'packet', name: m[2]!, group }];
  });
}
