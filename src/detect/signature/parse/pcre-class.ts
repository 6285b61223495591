import { hex, otherCase, POSIX, SETS } from './pcre-sets.js';
import { own } from '../../../util/own.js';

/** A pattern and how far it has been read. */
export interface Cursor {
  readonly pattern: string;
  at: number;
}

/** A byte after `\`: `xHH`, `x{H}`, octal, control letters or the character itself. */
export function byteEscape(cursor: Cursor): number {
  const rest = cursor.pattern.slice(cursor.at, cursor.at + 8);
  const take = (length: number, value: number): number => {
    cursor.at += length;
    return value & 255;
  };
  const braced = /^x\{([0-9a-fA-F]+)\}/.exec(rest);
  if (braced) return take(braced[0].length, parseInt(braced[1]!, 16));
  const hexed = /^x([0-9a-fA-F]{0,2})/.exec(rest);
  if (hexed) return take(hexed[0].length, hexed[1] === '' ? 0 : parseInt(hexed[1]!, 16));
  const octal = /^[0-7]{1,3}/.exec(rest);
  if (octal) return take(octal[0].length, parseInt(octal[0], 8));
  if (/^c[ -~]/.test(rest)) return take(2, rest.toUpperCase().charCodeAt(1) ^ 64);
  const control: Readonly<Record<string, number>> = { a: 7, e: 27, f: 12, n: 10, r: 13, t: 9 };
  const c = rest[0]!;
  return take(1, control[c] ?? c.charCodeAt(0));
}

/**
 * `[...]` behind its opening bracket, as JavaScript writes it.
 * @param inBothCases letters are written out in upper and lower case.
 * @throws {Error} when it is not closed, or uses a class that has no equal.
 */
export function translateClass(cursor: Cursor, inBothCases: boolean): string {
  let out = '[';
  if (cursor.pattern[cursor.at] === '^') {
    out += '^';
    cursor.at++;
  }
  let first = true;
  for (;;) {
    const c = cursor.pattern[cursor.at];
    if (c === undefined) throw new Error('"[" is not closed');
    if (c === ']' && !first) break;
    first = false;
    out += classItem(cursor, c, inBothCases);
  }
  cursor.at++;
  return `${out}]`;
}

/**
 * `{L}`, `L` or `{^L}` behind `\\p`: the bytes that have a property as code points of Latin-1, for within a class.
 * @throws {Error} when there is no such property.
 */
export function propertySet(cursor: Cursor, isNegated: boolean): string {
  const m = /^(?:\{(\^?)([A-Za-z_&]+)\}|([A-Z]))/.exec(cursor.pattern.slice(cursor.at, cursor.at + 40));
  if (!m) throw new Error('"\\p" needs a property');
  cursor.at += m[0].length;
  const name = m[2] ?? m[3]!;
  const wanted = isNegated !== (m[1] === '^');
  let set = '';
  for (let code = 0; code < 256; code++)
    if (propertyPattern(name).test(String.fromCharCode(code)) !== wanted) set += hex(code);
  return set;
}

function propertyPattern(name: string): RegExp {
  for (const text of name === 'Any' ? ['Any'] : [name === 'L&' ? 'LC' : name, `Script=${name}`]) {
    try {
      return new RegExp(`\\p{${text}}`, 'u');
    } catch {
      // Neither category nor property: perhaps a script.
    }
  }
  throw new Error(`"${name}" is not a property of characters`);
}

function classItem(cursor: Cursor, c: string, inBothCases: boolean): string {
  const posix = /^\[:(\^?)(\w+):\]/.exec(cursor.pattern.slice(cursor.at, cursor.at + 40));
  if (posix) {
    const set = own(POSIX, posix[2]!);
    if (set === undefined || posix[1] === '^') throw new Error(`${posix[0]} is not supported`);
    cursor.at += posix[0].length;
    return set;
  }
  if (c === '\\') {
    const next = cursor.pattern[cursor.at + 1];
    if (next === undefined) throw new Error('"[" is not closed');
    const set = SETS[next];
    if (set) {
      cursor.at += 2;
      return set[1];
    }
    if (next === 'p' || next === 'P') {
      cursor.at += 2;
      return propertySet(cursor, next === 'P');
    }
    cursor.at++;
    if (next === 'b') {
      cursor.at++;
      return '\\x08';
    }
    return range(cursor, byteEscape(cursor), inBothCases);
  }
  cursor.at++;
  const code = c.charCodeAt(0);
  if (code > 127) return [...Buffer.from(c, 'utf8')].map(hex).join('');
  return c === '-' ? range(cursor, 45, inBothCases) : range(cursor, code, inBothCases);
}

/** One byte of a class, or a range that begins with it. */
function range(cursor: Cursor, from: number, inBothCases: boolean): string {
  const next = cursor.pattern[cursor.at + 1];
  let to = from;
  if (
    cursor.pattern[cursor.at] === '-' &&
    next !== undefined &&
    next !== ']' &&
    !(next === '\\' && setFollows(cursor))
  ) {
    cursor.at++;
    if (next === '\\') {
      cursor.at++;
      to = byteEscape(cursor);
    } else {
      cursor.at++;
      to = next.charCodeAt(0);
    }
    if (to < from) throw new Error('a range in "[...]" ends before it begins');
  }
  const text = to === from ? hex(from) : `${hex(from)}-${hex(to)}`;
  if (!inBothCases) return text;
  return text + otherCase(from, to);
}

function setFollows(cursor: Cursor): boolean {
  return SETS[cursor.pattern[cursor.at + 2] ?? ''] !== undefined;
}
