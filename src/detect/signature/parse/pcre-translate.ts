import { byteEscape, propertySet, translateClass, type Cursor } from './pcre-class.js';
import { hex, SETS, VERTICAL } from './pcre-sets.js';

/** Flags that change how a pattern reads. */
export interface PcreFlags {
  caseless: boolean;
  multiline: boolean;
  dotAll: boolean;
  extended: boolean;
  ungreedy: boolean;
  dollarEndOnly: boolean;
}

export interface TranslatedPattern {
  source: string;
  caseless: boolean;
  /** Number in `source` of each group of the pattern; the first is the whole. */
  groups: readonly number[];
  /** Groups with a name. */
  named: readonly { name: string; group: number }[];
}

/**
 * Rewrites a PCRE pattern over bytes as a JavaScript one over Latin-1 text with the same matches. Possessive and atomic
 * groups become a lookahead with a back-reference.
 * @throws {Error} when the pattern uses something that has no equal: recursion, conditions, `\K`, `\G`, callouts.
 */
export function translatePcre(pattern: string, flags: PcreFlags): TranslatedPattern {
  return new Translator(pattern, flags).run();
}

class Translator implements Cursor {
  readonly pattern: string;
  readonly #flags: PcreFlags;
  at = 0;
  /** Number of each original group in the output. */
  readonly #groups: number[] = [0];
  #made = 0;
  readonly #named: { name: string; index: number }[] = [];
  #atomics = 0;
  #foldGlobally: boolean;
  readonly #backReferences: { placeholder: string; group: number }[] = [];
  readonly #backNames: string[] = [];

  constructor(pattern: string, flags: PcreFlags) {
    this.pattern = pattern;
    this.#flags = { ...flags };
    const lead = /^\(\?([imsx]+)\)/.exec(pattern);
    if (lead) {
      this.#apply(this.#flags, lead[1]!);
      this.at = lead[0].length;
    }
    // Somewhere case matters again: letters are written out in both cases where it does not.
    this.#foldGlobally = this.#flags.caseless && !/\(\?[a-z]*-[a-z]*i/.test(pattern);
  }

  run(): TranslatedPattern {
    let source = this.#alternatives(this.#flags);
    if (this.at < this.pattern.length) throw new Error('")" without "("');
    for (const wanted of this.#backNames)
      if (!this.#named.some(({ name }) => name === wanted)) throw new Error(`there is no group "${wanted}"`);
    for (const { placeholder, group } of this.#backReferences) {
      const number = this.#groups[group];
      if (number === undefined) throw new Error(`there is no group ${group}`);
      source = source.replace(placeholder, `(?:\\${number})`);
    }
    return {
      source,
      caseless: this.#foldGlobally,
      groups: this.#groups,
      named: this.#named.map(({ name, index }) => ({ name, group: this.#groups[index]! })),
    };
  }

  #alternatives(outer: PcreFlags): string {
    const flags = { ...outer };
    let text = '';
    while (this.at < this.pattern.length && this.pattern[this.at] !== ')') {
      if (this.pattern[this.at] === '|') {
        this.at++;
        text += '|';
        continue;
      }
      const made = this.#made;
      const atom = this.#atom(flags);
      if (atom === undefined) continue;
      text += this.#repeat(atom, flags, made);
    }
    return text;
  }

  #repeat(atom: string, flags: PcreFlags, made: number): string {
    const rest = this.pattern.slice(this.at, this.at + 16);
    const m = /^(?:[*+?]|\{\d+(?:,\d*)?\})/.exec(rest);
    if (!m) return atom;
    this.at += m[0].length;
    const suffix = this.pattern[this.at];
    const bare = m[0] === '{0}' ? '{0}' : m[0];
    if (suffix === '+') {
      this.at++;
      return this.#makeAtomic(atom + bare, made);
    }
    let lazy = flags.ungreedy;
    if (suffix === '?') {
      this.at++;
      lazy = !lazy;
    }
    return atom + bare + (lazy ? '?' : '');
  }

  /** `(?>x)` as `(?=(x))\1` with a named group, so that numbers stay apart. */
  #makeAtomic(text: string, madeBefore: number): string {
    const name = `_a${this.#atomics++}`;
    for (let i = 0; i < this.#groups.length; i++) if (this.#groups[i]! > madeBefore) this.#groups[i]!++;
    this.#made++;
    return `(?:(?=(?<${name}>${text}))\\k<${name}>)`;
  }

  #atom(flags: PcreFlags): string | undefined {
    const c = this.pattern[this.at]!;
    if (c === '(') return this.#group(flags);
    this.at++;
    if (flags.extended && /\s/.test(c)) return undefined;
    if (flags.extended && c === '#') {
      while (this.at < this.pattern.length && this.pattern[this.at] !== '\n') this.at++;
      return undefined;
    }
    if (c === '[') return translateClass(this, flags.caseless && !this.#foldGlobally);
    if (c === '\\') return this.#escape(flags);
    if (c === '.') return flags.dotAll ? '[^]' : '[^\\n]';
    if (c === '^') return this.#lineStart(flags);
    if (c === '$') return this.#lineEnd(flags);
    if (c === '*' || c === '+' || c === '?') throw new Error(`nothing to repeat before "${c}"`);
    return this.#literal(c, flags);
  }

  #lineStart(flags: PcreFlags): string {
    if (!flags.multiline) return '^';
    return '(?<![^\\n])';
  }

  #lineEnd(flags: PcreFlags): string {
    if (!flags.multiline) return flags.dollarEndOnly ? '$' : '(?:\\n?$)';
    return '(?![^\\n])';
  }

  #literal(c: string, flags: PcreFlags): string {
    const code = c.charCodeAt(0);
    if (code > 127) return [...Buffer.from(c, 'utf8')].map(hex).join('');
    if (flags.caseless && !this.#foldGlobally && /[a-z]/i.test(c)) return `[${c.toLowerCase()}${c.toUpperCase()}]`;
    return /[/{}\]]/.test(c) ? `\\${c}` : c;
  }

  #group(flags: PcreFlags): string | undefined {
    const rest = this.pattern.slice(this.at);
    const close = (head: string, inner: PcreFlags = flags) => {
      const body = this.#alternatives(inner);
      if (this.pattern[this.at] !== ')') throw new Error('a group is not closed');
      this.at++;
      return `${head}${body})`;
    };
    const comment = /^\(\?#[^)]*\)/.exec(rest);
    if (comment) {
      this.at += comment[0].length;
      return undefined;
    }
    const inline = /^\(\?([imsx]*)(?:-([imsx]+))?\)/.exec(rest);
    if (inline) {
      this.at += inline[0].length;
      this.#apply(flags, inline[1] ?? '', inline[2] ?? '');
      return undefined;
    }
    const scoped = /^\(\?([imsx]*)(?:-([imsx]+))?:/.exec(rest);
    if (scoped) {
      this.at += scoped[0].length;
      const inner = { ...flags };
      this.#apply(inner, scoped[1] ?? '', scoped[2] ?? '');
      return close('(?:', inner);
    }
    const look = /^\(\?(=|!|<=|<!)/.exec(rest);
    if (look) {
      this.at += look[0].length;
      return close(look[0]);
    }
    if (rest.startsWith('(?>')) {
      this.at += 3;
      const made = this.#made;
      const body = close('(?:');
      return this.#makeAtomic(body, made);
    }
    const named = /^\(\?(?:P?<([A-Za-z_]\w*)>|'([A-Za-z_]\w*)')/.exec(rest);
    if (named) {
      this.at += named[0].length;
      this.#named.push({ name: (named[1] ?? named[2])!, index: this.#groups.length });
      this.#groups.push(++this.#made);
      return close(`(?<${named[1] ?? named[2]}>`);
    }
    const backName = /^\(\?P=(\w+)\)/.exec(rest);
    if (backName) {
      this.at += backName[0].length;
      return this.#backReferenceByName(backName[1]!);
    }
    if (rest.startsWith('(?') || rest.startsWith('(*')) throw new Error(`"${rest.slice(0, 6)}" is not supported`);
    this.at++;
    this.#groups.push(++this.#made);
    return close('(');
  }

  #apply(flags: PcreFlags, on: string, off = ''): void {
    const set = (letters: string, value: boolean): void => {
      if (letters.includes('i')) flags.caseless = value;
      if (letters.includes('m')) flags.multiline = value;
      if (letters.includes('s')) flags.dotAll = value;
      if (letters.includes('x')) flags.extended = value;
    };
    set(on, true);
    set(off, false);
  }

  #escape(flags: PcreFlags): string {
    const c = this.pattern[this.at++];
    if (c === undefined) throw new Error('the pattern ends in "\\"');
    const set = SETS[c];
    if (set) return set[0];
    if (c === 'Q') {
      const end = this.pattern.indexOf('\\E', this.at);
      const text = this.pattern.slice(this.at, end < 0 ? undefined : end);
      this.at = end < 0 ? this.pattern.length : end + 2;
      return `(?:${[...Buffer.from(text, 'utf8')].map(hex).join('')})`;
    }
    if (c === 'A') return '^';
    if (c === 'z') return '$';
    if (c === 'Z') return '(?:\\n?$)';
    if (c === 'b' || c === 'B') return `\\${c}`;
    if (c === 'R') return `(?:\\r\\n|[${VERTICAL}])`;
    if (c === 'N') return '[^\\n]';
    if (c === 'E') return '';
    if (c === 'p' || c === 'P') return `[${propertySet(this, c === 'P')}]`;
    if (c === 'K' || c === 'G' || c === 'X' || c === 'C') throw new Error(`"\\${c}" is not supported`);
    const back = /^(?:[1-9]\d?|g\{?\d+\}?|k<\w+>|k\{\w+\}|k'\w+')/.exec(this.pattern.slice(this.at - 1, this.at + 30));
    if (back && !this.#isOctal(back[0])) {
      this.at += back[0].length - 1;
      return this.#backReference(back[0]);
    }
    this.at--;
    const byte = byteEscape(this);
    if (flags.caseless && !this.#foldGlobally) return this.#literal(String.fromCharCode(byte), flags);
    return hex(byte);
  }

  /** `\12` is a back-reference only when there are so many groups. */
  #isOctal(text: string): boolean {
    return /^[1-7][0-7]$/.test(text) && Number(text) >= this.#groups.length;
  }

  #backReference(text: string): string {
    const name = /^k.(\w+).$/.exec(text);
    if (name) return this.#backReferenceByName(name[1]!);
    const group = Number(/\d+/.exec(text)![0]);
    const placeholder = `\u0001${this.#backReferences.length}\u0002`;
    this.#backReferences.push({ placeholder, group });
    return placeholder;
  }

  #backReferenceByName(name: string): string {
    this.#backNames.push(name);
    return `\\k<${name}>`;
  }
}
