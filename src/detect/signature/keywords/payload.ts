import { CONTENT_MODIFIERS } from '../buffers.js';
import {
  parseByteExtract,
  parseByteJump,
  parseByteMath,
  parseByteTest,
  parseIsDataAt,
  parseOperand,
} from '../parse/bytes.js';
import { FOLD, parsePattern, splitNegation } from '../parse/content.js';
import { parseRange } from '../parse/number.js';
import { parsePcre } from '../parse/pcre.js';
import type { ContentMatch, Operand } from '../rule.js';
import type { RuleBuilder } from './builder.js';
import { datarep, dataset } from './dataset.js';
import { FILE_KEYWORDS } from './file.js';

/** Reads one option into the rule. @throws {Error} with a sentence for people. */
export type Keyword = (b: RuleBuilder, value: string) => void;

const ZERO: Operand = { value: 0, variable: -1 };

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
    chop: undefined,
    skip: undefined,
    relativeNext: false,
  };
}

function content(b: RuleBuilder, value: string): void {
  const { negated, text } = splitNegation(value);
  b.add(newContent(parsePattern(text), negated));
}

function fastPattern(b: RuleBuilder, value: string): void {
  const c = b.content();
  c.fastPattern = true;
  const chop = /^(\d+)\s*,\s*(\d+)$/.exec(value);
  if (chop) c.chop = { from: Number(chop[1]), length: Number(chop[2]) };
  else if (value !== '' && value !== 'only') throw new Error(`"${value}" is neither "only" nor offset and length`);
  if (c.chop && c.chop.from + c.chop.length > c.bytes.length) throw new Error('offset and length exceed the content');
}

function base64Decode(b: RuleBuilder, value: string): void {
  let bytes = 0;
  let offset = 0;
  let relative = false;
  for (const part of value.split(',').map((p) => p.trim())) {
    const m = /^(bytes|offset)\s+(\d+)$/.exec(part);
    if (m?.[1] === 'bytes') bytes = Number(m[2]);
    else if (m) offset = Number(m[2]);
    else if (part === 'relative') relative = true;
    else if (part !== '') throw new Error(`"${part}" is not understood here`);
  }
  b.add({ kind: 'base64_decode', bytes, offset, relative, inner: [], relativeNext: false });
}

function base64Data(b: RuleBuilder): void {
  const lists = [b.list, b.rule.payload, ...b.rule.buffers.map((x) => x.matches)];
  for (const list of lists) {
    const decode = list.findLast((m) => m.kind === 'base64_decode');
    if (decode?.kind === 'base64_decode') {
      b.inner = decode.inner;
      return;
    }
  }
  throw new Error('needs base64_decode before it');
}

function urilen(b: RuleBuilder, value: string): void {
  const [range = '', which = 'norm'] = value.split(',').map((p) => p.trim());
  if (which !== 'norm' && which !== 'raw') throw new Error(`"${which}" is neither norm nor raw`);
  const target = b.bufferOf(which === 'raw' ? 'http.uri.raw' : 'http.uri');
  target.matches.push({ kind: 'bsize', range: parseRange(range, 65535) });
}

/** Keywords that look into bytes. */
export const PAYLOAD_KEYWORDS: Readonly<Record<string, Keyword>> = {
  content,
  uricontent(b, value) {
    const { negated, text } = splitNegation(value);
    b.addTo(b.bufferOf('http.uri').matches, newContent(parsePattern(text), negated));
  },
  nocase(b) {
    const c = b.content();
    c.nocase = true;
    c.bytes = c.bytes.map((x) => FOLD[x]!);
  },
  offset(b, value) {
    b.content().offset = parseOperand(value, b, 0, 65535);
  },
  depth(b, value) {
    const c = b.content();
    c.depth = parseOperand(value, b, 0, 65535);
    if (c.depth.variable < 0 && c.depth.value < c.bytes.length) throw new Error('is smaller than its content');
  },
  distance(b, value) {
    b.content().distance = parseOperand(value, b, -1048576, 1048576);
    b.relativeContent();
  },
  within(b, value) {
    const c = b.content();
    c.within = parseOperand(value, b, -1048576, 1048576);
    if (c.within.variable < 0 && c.within.value < c.bytes.length) throw new Error('is smaller than its content');
    b.relativeContent();
  },
  startswith(b) {
    const c = b.content();
    c.startswith = true;
    c.offset = ZERO;
    c.depth = { value: c.bytes.length, variable: -1 };
  },
  endswith(b) {
    b.content().endswith = true;
  },
  rawbytes(b) {
    b.content();
  },
  replace(b) {
    b.content();
  },
  fast_pattern: fastPattern,
  pcre(b, value) {
    const { match, buffer } = parsePcre(value);
    b.addPcre(match, buffer);
  },
  isdataat: (b, value) => b.add(parseIsDataAt(value, b)),
  byte_test: (b, value) => b.add(parseByteTest(value, b)),
  byte_jump: (b, value) => b.add(parseByteJump(value, b)),
  byte_extract: (b, value) => b.add(parseByteExtract(value, b)),
  byte_math: (b, value) => b.add(parseByteMath(value, b)),
  base64_decode: base64Decode,
  base64_data: base64Data,
  bsize(b, value) {
    if (!b.sticky) throw new Error('needs a buffer keyword before it');
    b.add({ kind: 'bsize', range: parseRange(value) });
  },
  absent(b, value) {
    if (!b.sticky) throw new Error('needs a buffer keyword before it');
    if (value !== '' && value !== 'or_else') throw new Error(`"${value}" is not understood here`);
    b.add({ kind: 'absent', orElse: value === 'or_else' });
  },
  dataset,
  datarep,
  ...FILE_KEYWORDS,
  urilen,
  pkt_data(b) {
    b.sticky = undefined;
    b.inner = undefined;
  },
  ...Object.fromEntries(
    Object.entries(CONTENT_MODIFIERS).map(([name, buffer]): [string, Keyword] => [name, (b) => b.moveLast(buffer)]),
  ),
};
