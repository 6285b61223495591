import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';

// A pattern that backtracks too much goes on in V8's linear-time engine. That engine cannot run all patterns (not those with
// lookaround, back-references, long counted repeats, or without regard to case): the others end at the limit below, which
// V8 offers to its own code only.
setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks');
setFlagsFromString('--regexp-backtracks-before-fallback=20000');
setFlagsFromString('--allow-natives-syntax');

/**
 * Times that one search of one text may go back; Suricata lets PCRE do 3,500 (`pcre.match-limit`). The same text has the same
 * answer however busy the machine is. It is 2 to 3 ms of CPU for nested repeats; what one character is repeated within
 * (`a*`) counts once, so that a long run of it costs more.
 */
const MAX_BACKTRACKS = 1_000_000;
/** Nothing goes back so often in less time. */
const SUSPICIOUS_MS = 0.1;

type MakeRegExp = (source: string, flags: string, backtracks: number) => RegExp;

let make: MakeRegExp | undefined;
let givenUp = 0;
/** For each pattern, one that finds nothing only when the search has to be given up. */
const verdicts = new WeakMap<RegExp, RegExp>();

/**
 * A pattern whose search always ends (`execBounded`).
 * @throws {SyntaxError} when it is none, or this version of V8 knows no limit.
 */
export function boundedRegExp(source: string, flags: string): RegExp {
  make ??= new Script('(source, flags, most) => %NewRegExpWithBacktrackLimit(source, flags, most)').runInThisContext() as MakeRegExp; // prettier-ignore
  return make(source, flags, MAX_BACKTRACKS);
}

/** @returns undefined when the search was given up, which is neither a match nor its absence, as in Suricata. */
export function execBounded(regex: RegExp, text: string, from: number): RegExpExecArray | null | undefined {
  regex.lastIndex = from;
  const begin = performance.now();
  try {
    const found = regex.exec(text);
    if (found !== null || performance.now() - begin < SUSPICIOUS_MS || !isBeyond(regex, text, from)) return found;
  } catch {
    // The stack of places to go back to is full.
  }
  givenUp++;
  return undefined;
}

/** V8 says "not found" in both cases: what ends in an empty match was searched to its end. */
function isBeyond(regex: RegExp, text: string, from: number): boolean {
  let verdict = verdicts.get(regex);
  if (verdict === undefined) {
    verdict = boundedRegExp(`(?:[^]*?(?:${regex.source}))|`, regex.flags.replace('g', 'y'));
    verdicts.set(regex, verdict);
  }
  verdict.lastIndex = from;
  return verdict.exec(text) === null;
}

/** Searches given up so far. */
export function searchesGivenUp(): number {
  return givenUp;
}
