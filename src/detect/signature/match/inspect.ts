import { createHash } from 'node:crypto';
import { inRange } from '../parse/number.js';
import type {
  Base64DecodeMatch,
  ByteExtractMatch,
  ByteJumpMatch,
  ByteMathMatch,
  ByteTestMatch,
  Capture,
  ContentMatch,
  FileHashMatch,
  IsDataAtMatch,
  Match,
  PcreMatch,
} from '../rule.js';
import { hasOddBer } from './asn1.js';
import { compare, compute, maskBits, operand, readNumber } from './bytes.js';
import { hasEntropy } from './entropy.js';
import { Gaps, MIN_GAP } from './gaps.js';
import { Effort, Subject, type PatternFound } from './guard.js';
import { searchContent } from './search.js';
import { decodeBase64 } from './transform.js';

/** Bytes of one place where a rule matched. */
export interface MatchedBytes {
  offset: number;
  length: number;
}

const NO = 0;
const YES = 1;
/** No other position of an earlier match can help. */
const NEVER = 2;
type Outcome = 0 | 1 | 2;

/** The text of a group that a rule wants remembered. */
export interface CapturedText {
  capture: Capture;
  text: string;
}

/** Captured texts of one rule that are kept until it has matched. */
const MAX_CAPTURED = 32;

/** Attempts for one rule in one buffer, as Suricata's inspection recursion limit. */
const MAX_STEPS = 3000;
/** Matches that take the longer the longer the buffer is: so many bytes of it, a power of two, count as one attempt more. */
const LOOKS_AT_ALL = new Set<Match['kind']>(['base64_decode', 'file_hash', 'dataset', 'datarep', 'entropy', 'asn1']);
const STEP_BITS = 12;

/**
 * Evaluates the matches of a rule in one buffer: each in order, and those followed by relative ones again at their next
 * position when what follows fails.
 */
export class Inspector {
  #data: Uint8Array = new Uint8Array(0);
  /** The same data for patterns. */
  readonly #subject = new Subject(this.#data);
  readonly #effort = new Effort();
  #matches: readonly Match[] = [];
  #cursor = 0;
  #pcreFrom = 0;
  #steps = 0;
  /** Of contents that count from an earlier match. */
  readonly #gaps = new Map<ContentMatch, Gaps>();
  /** Position of the buffer's first byte in its stream. */
  #streamStart = 0;
  #atEnd = true;
  readonly values = new Float64Array(32);
  /** What groups have captured since `begin`, for the rule that is being looked at. */
  readonly captured: CapturedText[] = [];
  /** The last content or pattern found. */
  readonly found: MatchedBytes = { offset: 0, length: 0 };

  /** Before the first buffer of a rule. */
  begin(): void {
    this.values.fill(0);
    if (this.captured.length > 0) this.captured.length = 0;
  }

  /**
   * @param streamStart bytes of the stream before the buffer.
   * @param atEnd nothing will be added to the buffer.
   */
  run(matches: readonly Match[], data: Uint8Array, streamStart = 0, atEnd = true): boolean {
    this.#data = data;
    this.#subject.data = data;
    this.#effort.begin();
    if (this.#gaps.size > 0) this.#gaps.clear();
    this.#matches = matches;
    this.#cursor = 0;
    this.#pcreFrom = 0;
    this.#steps = 0;
    this.#streamStart = streamStart;
    this.#atEnd = atEnd;
    this.found.length = 0;
    return this.#from(0) === YES;
  }

  #from(index: number): Outcome {
    let i = index;
    for (;;) {
      if (i >= this.#matches.length) return YES;
      if (++this.#steps > MAX_STEPS) return NEVER;
      const match = this.#matches[i]!;
      let outcome: Outcome;
      switch (match.kind) {
        case 'content':
          if (match.relativeNext && !match.negated) return this.#contentThenRest(match, i);
          outcome = this.#content(match, -1) >= 0 ? YES : this.#failed(match);
          break;
        case 'pcre':
          if (match.relativeNext && !match.negated) return this.#pcreThenRest(match, i);
          outcome = this.#pcre(match);
          break;
        default:
          outcome = this.#other(match) ? YES : NO;
      }
      if (outcome !== YES) return outcome;
      i++;
    }
  }

  /** A content that must be near an earlier match may be found behind another one; any other cannot. */
  #failed(match: ContentMatch): Outcome {
    return match.distance !== undefined || match.within !== undefined ? NO : NEVER;
  }

  #contentThenRest(match: ContentMatch, i: number): Outcome {
    const before = this.#cursor;
    let again = -1;
    for (;;) {
      this.#cursor = before;
      const end = this.#content(match, again);
      if (end < 0) return again < 0 ? this.#failed(match) : NO;
      const { offset, length } = this.found;
      const rest = this.#from(i + 1);
      if (rest !== NO) return rest;
      if (++this.#steps > MAX_STEPS) return NEVER;
      this.found.offset = offset;
      this.found.length = length;
      again = end - match.bytes.length + 1;
    }
  }

  /**
   * Looks for a content; its end, or -1. A negated one that is absent is found where it is.
   * @param again first position to look at instead of the rule's, or -1.
   */
  #content(match: ContentMatch, again: number): number {
    const length = this.#data.length;
    const size = match.bytes.length;
    const relative = match.distance !== undefined || match.within !== undefined;
    let from = 0;
    let to = length;
    if (relative) {
      const distance = match.distance === undefined ? 0 : operand(match.distance, this.values);
      from = Math.max(0, this.#cursor + distance);
      if (match.within !== undefined) to = Math.min(to, this.#cursor + distance + operand(match.within, this.values));
      if (match.offset !== undefined) from = Math.max(from, operand(match.offset, this.values) - this.#streamStart);
      if (match.depth !== undefined) to = Math.min(to, this.#absoluteEnd(match));
    } else {
      if (match.offset !== undefined) from = Math.max(0, operand(match.offset, this.values) - this.#streamStart);
      if (match.depth !== undefined) to = Math.min(to, this.#absoluteEnd(match));
    }
    if (again >= 0) from = again;
    const begin = from;
    if (relative && this.#gaps.size > 0) from = this.#gaps.get(match)?.skip(from) ?? from;
    let at = -1;
    if (match.endswith) {
      if (to >= length && length - size >= from && this.#atEnd) {
        at = searchContent(match, this.#data, length - size, length);
      }
    } else at = to - from >= size ? searchContent(match, this.#data, from, to) : -1;
    if (relative && !match.endswith) this.#addGap(match, begin, at < 0 ? to - size + 1 : at);
    if (match.negated) return at < 0 ? this.#cursor : -1;
    if (at < 0) return -1;
    this.found.offset = at;
    this.found.length = size;
    this.#cursor = at + size;
    return this.#cursor;
  }

  #addGap(match: ContentMatch, from: number, to: number): void {
    if (to - from < MIN_GAP) return;
    let gaps = this.#gaps.get(match);
    if (gaps === undefined) this.#gaps.set(match, (gaps = new Gaps()));
    gaps.add(from, to);
  }

  #absoluteEnd(match: ContentMatch): number {
    const offset = match.offset === undefined ? 0 : operand(match.offset, this.values);
    return Math.max(0, offset + operand(match.depth!, this.values) - this.#streamStart);
  }

  /** A search that is given up is not tried again behind something else. */
  #pcre(match: PcreMatch, from = 0): Outcome {
    const base = match.relative ? this.#cursor : 0;
    if (base > this.#data.length) return match.negated ? YES : NO;
    const m = match.pattern.exec(this.#subject, base, from, this.#effort);
    if (m === undefined) return NEVER;
    if (match.negated) return m === null ? YES : NO;
    if (m === null) return NO;
    this.found.offset = base + m.index;
    this.found.length = m[0].length;
    this.#pcreFrom = m.index + 1;
    this.#cursor = base + m.index + m[0].length;
    if (match.captures.length > 0) this.#capture(match, m);
    return YES;
  }

  #capture({ captures }: PcreMatch, found: PatternFound): void {
    for (const capture of captures) {
      const text = found[capture.group];
      if (text !== undefined && this.captured.length < MAX_CAPTURED) this.captured.push({ capture, text });
    }
  }

  #pcreThenRest(match: PcreMatch, i: number): Outcome {
    const before = this.#cursor;
    let from = 0;
    for (;;) {
      this.#cursor = before;
      const outcome = this.#pcre(match, from);
      if (outcome !== YES) return outcome;
      from = this.#pcreFrom;
      const rest = this.#from(i + 1);
      if (rest !== NO) return rest;
      if (++this.#steps > MAX_STEPS) return NEVER;
    }
  }

  #other(match: Exclude<Match, ContentMatch | PcreMatch>): boolean {
    if (LOOKS_AT_ALL.has(match.kind)) this.#steps += this.#data.length >>> STEP_BITS;
    switch (match.kind) {
      case 'isdataat':
        return this.#isDataAt(match);
      case 'bsize':
        return inRange(match.range, this.#data.length);
      case 'byte_test':
        return this.#byteTest(match);
      case 'byte_jump':
        return this.#byteJump(match);
      case 'byte_extract':
        return this.#byteExtract(match);
      case 'byte_math':
        return this.#byteMath(match);
      case 'base64_decode':
        return this.#base64(match);
      case 'file_size':
        return this.#atEnd && inRange(match.range, this.#data.length);
      case 'file_hash':
        return this.#atEnd && this.#fileHash(match);
      case 'datarep':
        return inRange(match.range, match.dataset.reputation(this.#data) ?? NaN);
      case 'dataset':
        return this.#dataset(match);
      case 'asn1':
        return hasOddBer(match, this.#data, match.offset + (match.relative ? this.#cursor : 0));
      case 'entropy':
        return hasEntropy(match, this.#data);
      case 'absent':
        return match.alternative === 'matches';
    }
  }

  #isDataAt(match: IsDataAtMatch): boolean {
    const at = operand(match.at, this.values);
    const have = match.relative ? this.#cursor + at <= this.#data.length : at < this.#data.length;
    return have !== match.negated;
  }

  #byteTest(match: ByteTestMatch): boolean {
    const read = readNumber(match.read, this.#data, this.#cursor, this.values);
    if (!read) return false;
    return compare(match.operator, read.value, operand(match.value, this.values)) !== match.negated;
  }

  #byteJump(match: ByteJumpMatch): boolean {
    const read = readNumber(match.read, this.#data, this.#cursor, this.values);
    if (!read && !(match.read.bytes.variable < 0 && match.read.bytes.value === 0)) return false;
    let value = (read?.value ?? 0) * match.multiplier;
    if (match.read.bytes.variable < 0 && match.read.bytes.value === 0) value = 0;
    if (match.align) value = Math.ceil(value / 4) * 4;
    value += operand(match.postOffset, this.values);
    const start = match.fromBeginning ? 0 : match.fromEnd ? this.#data.length : (read?.end ?? this.#cursor);
    const to = start + value;
    if (to > this.#data.length) return false;
    // A jump to before the beginning ends there, as in Suricata.
    this.#cursor = Math.max(0, to);
    return true;
  }

  #byteExtract(match: ByteExtractMatch): boolean {
    const read = readNumber(match.read, this.#data, this.#cursor, this.values);
    if (!read) return false;
    let value = read.value * match.multiplier;
    if (match.align > 0) value = Math.ceil(value / match.align) * match.align;
    this.values[match.variable] = value;
    this.#cursor = read.end;
    return true;
  }

  #byteMath(match: ByteMathMatch): boolean {
    const read = readNumber(match.read, this.#data, this.#cursor, this.values);
    if (!read) return false;
    const end = read.end;
    const value = compute(match.operator, read.value, operand(match.rvalue, this.values));
    if (value === undefined) return false;
    this.values[match.variable] = maskBits(value, match.bitmask);
    this.#cursor = end;
    return true;
  }

  #base64(match: Base64DecodeMatch): boolean {
    const start = match.offset + (match.relative ? this.#cursor : 0);
    if (start >= this.#data.length) return false;
    const end = match.bytes > 0 ? start + match.bytes : this.#data.length;
    const decoded = decodeBase64(this.#data.subarray(start, end), { mode: 'rfc4648' });
    if (decoded.length === 0) return false;
    return match.inner.length === 0 || new Inspector().run(match.inner, decoded);
  }

  #fileHash({ algorithm, hashes, negated }: FileHashMatch): boolean {
    return hashes.has(createHash(algorithm).update(this.#data).digest('hex')) !== negated;
  }

  #dataset(match: Extract<Match, { kind: 'dataset' }>): boolean {
    switch (match.command) {
      case 'isset':
        return match.dataset.has(this.#data);
      case 'isnotset':
        return !match.dataset.has(this.#data);
      case 'set':
        return match.dataset.add(this.#data);
      case 'unset':
        return match.dataset.remove(this.#data);
    }
  }
}
