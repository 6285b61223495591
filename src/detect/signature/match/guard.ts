import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';
import { looksFarAgain } from './pattern-facts.js';
import { PatternMachine, type SearchRange, type Steps } from './pattern-machine.js';
import { compileProgram, type PatternProgram } from './pattern-program.js';
import { parsePattern } from './pattern-tree.js';

// V8 offers a limit to going back to its own code only.
setFlagsFromString('--allow-natives-syntax');

/**
 * Bytes that one search of V8's engine may look at, 10 to 30 ms: going back counts once however many bytes of the text it takes
 * (a run of one character, `a*`), so that texts of twice the length may go back half as often.
 */
const V8_BYTES = 2 ** 24;
/** Bytes of a short text. What goes back as often as these allow takes longer than `SUSPICIOUS_MS`. */
const SHORT = 2 ** 11;
const SUSPICIOUS_MS = 0.01;
/** Searches by V8 for one rule in one buffer. */
const V8_SEARCHES = 3;
/** Steps behind each of these when it was not ended, and of all further searches together. */
const STEPS_EACH = 5_000_000;
const STEPS = 20_000_000;

/** A match: the text of each group by its number, and first that of the whole. */
export interface PatternFound extends ArrayLike<string | undefined> {
  /** Where it begins in the text. */
  index: number;
  0: string;
}

/** What is searched, as bytes and, once it is asked for, as text. */
export class Subject {
  #data: Uint8Array;
  #text: string | undefined;

  constructor(data: Uint8Array) {
    this.#data = data;
  }

  get data(): Uint8Array {
    return this.#data;
  }

  set data(data: Uint8Array) {
    this.#data = data;
    this.#text = undefined;
  }

  /** Latin-1. */
  get text(): string {
    const { buffer, byteOffset, length } = this.#data;
    return (this.#text ??= Buffer.from(buffer, byteOffset, length).toString('latin1'));
  }
}

/** What the searches for one rule in one buffer have cost, and what they have not found. */
export class Effort {
  searches = 0;
  readonly steps: Steps = { left: STEPS };
  /** For each pattern the text, by its beginning, in which nothing was found from a position on. */
  readonly absent = new Map<BoundedPattern, { base: number; from: number }>();

  begin(): void {
    this.searches = 0;
    this.steps.left = STEPS;
    if (this.absent.size > 0) this.absent.clear();
  }
}

type MakeRegExp = (source: string, flags: string, backtracks: number) => RegExp;

/** Makes V8's regular expressions with a limit to going back; undefined when this version of V8 knows none. */
const makeLimited = ((): MakeRegExp | undefined => {
  try {
    const code = '(source, flags, most) => %NewRegExpWithBacktrackLimit(source, flags, most)';
    const make = new Script(code).runInThisContext() as MakeRegExp;
    make('', '', 1);
    return make;
  } catch {
    return undefined;
  }
})();

const machine = new PatternMachine();
let givenUp = 0;

/** Searches given up so far. */
export function searchesGivenUp(): number {
  return givenUp;
}

/**
 * A regular expression whose searches end, with the same answer however busy the machine is. V8 searches first, as long as that
 * costs little; then the text is searched in steps that are counted (`PatternMachine`).
 */
export class BoundedPattern {
  readonly source: string;
  readonly #flags: string;
  /** For short texts. */
  readonly #regex: RegExp;
  /** For longer texts, by the logarithm of their length; the last group, an empty one, matches when nothing else does. */
  readonly #longer: (RegExp | undefined)[] = [];
  readonly #isForV8: boolean;
  #program: PatternProgram | null | undefined;

  /**
   * @param source as `translatePcre` writes it.
   * @throws {Error} when it is no pattern.
   */
  constructor(source: string, caseless: boolean) {
    this.source = source;
    this.#flags = caseless ? 'i' : '';
    const flags = `g${this.#flags}`;
    this.#regex = makeLimited?.(source, flags, V8_BYTES / SHORT) ?? new RegExp(source, flags);
    const looks = /\(\?<?[=!]/.test(source);
    this.#isForV8 = makeLimited !== undefined && !(looks && looksFarAgain(parsePattern(source).node));
  }

  /**
   * @param base where the text begins within the subject.
   * @param from first position of the text where a match may begin.
   * @returns undefined when the search was given up, which is neither a match nor its absence, as in Suricata.
   */
  exec(subject: Subject, base: number, from: number, effort: Effort): PatternFound | null | undefined {
    const count = ++effort.searches;
    const range = { base, from: base + from, to: count === 1 ? Infinity : this.#lastUseful(base, from, effort) };
    if (range.to < range.from) return null;
    let found: PatternFound | null | undefined;
    if (count > V8_SEARCHES || range.to < Infinity) found = this.#bySteps(subject, range, effort.steps);
    else {
      if (this.#isForV8) found = this.#byV8(base > 0 ? subject.text.slice(base) : subject.text, from);
      if (found === undefined) found = this.#bySteps(subject, range, { left: STEPS_EACH });
    }
    if (found === undefined) givenUp++;
    if (found === null && count > 1 && !effort.absent.has(this)) effort.absent.set(this, range);
    return found;
  }

  /** Where nothing was found, only a match that depends on where the text begins may begin later. */
  #lastUseful(base: number, from: number, { absent }: Effort): number {
    const known = absent.get(this);
    if (known === undefined || base < known.base || base + from < known.from) return Infinity;
    return base === known.base ? -1 : base + (this.#compiled()?.context ?? Infinity) - 1;
  }

  /** @returns undefined when the search did not end. */
  #byV8(text: string, from: number): PatternFound | null | undefined {
    try {
      if (text.length > SHORT) return this.#byV8InLongText(text, from);
      this.#regex.lastIndex = from;
      const begin = performance.now();
      const found = this.#regex.exec(text) as PatternFound | null;
      return found !== null || performance.now() - begin < SUSPICIOUS_MS ? found : undefined;
    } catch {
      // The stack of places to go back to is full.
      return undefined;
    }
  }

  #byV8InLongText(text: string, from: number): PatternFound | null | undefined {
    const size = Math.ceil(Math.log2(text.length));
    const most = Math.max(1, Math.floor(V8_BYTES / 2 ** size));
    const regex = (this.#longer[size] ??= makeLimited!(`(?:${this.source})|$()`, `g${this.#flags}`, most));
    regex.lastIndex = from;
    const found = regex.exec(text) as PatternFound | null;
    if (found === null) return undefined;
    return found[found.length - 1] === undefined ? found : null;
  }

  #bySteps(subject: Subject, range: SearchRange, steps: Steps): PatternFound | null | undefined {
    const program = this.#compiled();
    if (program === null) return undefined;
    const groups = machine.search(program, subject.data, range, steps);
    if (!groups) return groups;
    const texts = Array.from({ length: groups.length / 2 }, (_, group) => {
      const begin = groups[group * 2]!;
      const end = groups[group * 2 + 1]!;
      return begin < 0 || end < 0 ? undefined : subject.text.slice(begin, end);
    });
    return Object.assign(texts, { index: groups[0]! - range.base, 0: texts[0]! });
  }

  #compiled(): PatternProgram | null {
    if (this.#program === undefined) {
      try {
        this.#program = compileProgram(parsePattern(this.source), this.#flags !== '');
      } catch {
        // Too large.
        this.#program = null;
      }
    }
    return this.#program;
  }
}
