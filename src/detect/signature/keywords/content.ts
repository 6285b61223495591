import { parseOperand } from '../parse/bytes.js';
import { FOLD, parsePattern, splitNegation } from '../parse/content.js';
import type { ContentMatch, Operand } from '../rule.js';
import type { RuleBuilder } from './builder.js';
import type { Keyword } from './payload.js';

const ZERO: Operand = { value: 0, variable: -1 };
const MAX_RELATIVE = 1_048_576;

export function newContent(bytes: Uint8Array, negated: boolean): ContentMatch {
  return {
    kind: 'content',
    bytes,
    nocase: false,
    negated,
    offset: undefined,
    depth: undefined,
    distance: undefined,
    within: undefined,
    startswith: false,
    endswith: false,
    fastPattern: false,
    isFastPatternOnly: false,
    chop: undefined,
    skip: undefined,
    relativeNext: false,
  };
}

/** What a transform never leaves in its buffer. */
const NEVER_BEHIND: Readonly<Record<string, RegExp>> = {
  strip_whitespace: /\s/,
  compress_whitespace: /\s\s/,
  to_lowercase: /[A-Z]/,
  to_uppercase: /[a-z]/,
};

/** Each transform before it counts, also with `nocase`, as in Suricata. */
function checkTransforms({ sticky }: RuleBuilder, bytes: Uint8Array): void {
  const text = Buffer.from(bytes).toString('latin1');
  for (const { key } of sticky?.transforms ?? [])
    if (NEVER_BEHIND[key]?.test(text)) throw new Error(`"${text}" is never found behind ${key}`);
}

const isPlaced = (c: ContentMatch): boolean => c.offset !== undefined || c.depth !== undefined;
const isRelative = (c: ContentMatch): boolean => c.distance !== undefined || c.within !== undefined;

/** The content before, for a modifier that may be given once. */
function once(b: RuleBuilder, field: 'offset' | 'depth' | 'distance' | 'within'): ContentMatch {
  const c = b.content();
  if (c[field] !== undefined) throw new Error(c.startswith ? 'is set by startswith already' : 'is given twice for the same content'); // prettier-ignore
  const other = field === 'offset' || field === 'depth' ? isRelative(c) : isPlaced(c);
  if (other) throw new Error('offset and depth count from the beginning, distance and within from the match before: not both'); // prettier-ignore
  if (c.isFastPatternOnly) throw new Error('a content with fast_pattern:only has no place');
  return c;
}

function checkRelativeTo(b: RuleBuilder): void {
  if (b.contentBefore()?.isFastPatternOnly === true)
    throw new Error('counts from a content with fast_pattern:only, which has no place');
}

function fastPattern(b: RuleBuilder, value: string): void {
  const c = b.content();
  if (c.fastPattern) throw new Error('is given twice for the same content');
  if (b.hasFastPattern) throw new Error('can be used on one content of a rule only');
  const isOnly = value === 'only';
  const hasPlace = isRelative(c) || isPlaced(c);
  if (c.negated && hasPlace) throw new Error('is not for a content that is to be absent at a place');
  if (isOnly && (c.negated || hasPlace)) throw new Error('only is for contents that may be anywhere');
  b.hasFastPattern = true;
  c.fastPattern = true;
  c.isFastPatternOnly = isOnly;
  const chop = /^(?:chop[\s,]+)?(\d+)\s*,\s*(\d+)$/.exec(value);
  if (chop) c.chop = { from: Number(chop[1]), length: Number(chop[2]) };
  else if (value !== '' && !isOnly) throw new Error(`"${value}" is neither "only" nor offset and length`);
  if (c.chop && c.chop.from + c.chop.length > c.bytes.length) throw new Error('offset and length exceed the content');
}

/** `content`, and what stands behind it. */
export const CONTENT_KEYWORDS: Readonly<Record<string, Keyword>> = {
  content(b, value) {
    const { negated, text } = splitNegation(value);
    const bytes = parsePattern(text);
    if (!negated && b.inner === undefined) checkTransforms(b, bytes);
    b.add(newContent(bytes, negated));
  },
  uricontent(b, value) {
    const { negated, text } = splitNegation(value);
    if (b.sticky !== undefined) throw new Error('cannot be used behind a buffer keyword');
    b.useHttp1();
    b.addTo(b.bufferOf('http.uri').matches, newContent(parsePattern(text), negated));
  },
  nocase(b) {
    const c = b.content();
    if (c.nocase) throw new Error('is given twice for the same content');
    c.nocase = true;
    c.bytes = c.bytes.map((x) => FOLD[x]!);
  },
  offset(b, value) {
    once(b, 'offset').offset = parseOperand(value, b, 0, 65535);
  },
  depth(b, value) {
    const c = once(b, 'depth');
    c.depth = parseOperand(value, b, 0, 65535);
    if (c.depth.variable < 0 && c.depth.value < c.bytes.length) throw new Error('is smaller than its content');
  },
  distance(b, value) {
    const c = once(b, 'distance');
    checkRelativeTo(b);
    c.distance = parseOperand(value, b, -MAX_RELATIVE, MAX_RELATIVE);
    b.relativeContent();
  },
  within(b, value) {
    const c = once(b, 'within');
    checkRelativeTo(b);
    c.within = parseOperand(value, b, -MAX_RELATIVE, MAX_RELATIVE);
    if (c.within.variable < 0 && c.within.value < c.bytes.length) throw new Error('is smaller than its content');
    b.relativeContent();
  },
  startswith(b) {
    const c = b.content();
    if (isPlaced(c) || isRelative(c)) throw new Error('has its own place: not with offset, depth, distance or within');
    c.startswith = true;
    c.offset = ZERO;
    c.depth = { value: c.bytes.length, variable: -1 };
  },
  endswith(b) {
    b.content().endswith = true;
  },
  rawbytes(b) {
    const content = b.content();
    if (!b.rule.payload.includes(content) && b.inner === undefined) throw new Error('is for contents without a buffer');
    content.isRaw = true;
  },
  replace(b) {
    b.content();
  },
  fast_pattern: fastPattern,
};
