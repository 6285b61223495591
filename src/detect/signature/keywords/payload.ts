import { CONTENT_MODIFIERS } from '../buffers.js';
import { parseByteExtract, parseByteJump, parseByteMath, parseByteTest, parseIsDataAt } from '../parse/bytes.js';
import { parseEntropy } from '../parse/entropy.js';
import { parseLooseRange, parseRange } from '../parse/number.js';
import { parsePcre } from '../parse/pcre.js';
import type { AbsentMatch, ByteExtractMatch, ByteJumpMatch, ByteTestMatch } from '../rule.js';
import type { RuleBuilder } from './builder.js';
import { asn1 } from './asn1.js';
import { CONTENT_KEYWORDS } from './content.js';
import { datarep, dataset } from './dataset.js';
import { FILE_KEYWORDS } from './file.js';
import { useProtos } from './numbers.js';
import { own } from '../../../util/own.js';

const MAX_ENCODED = 65_535;
const DCERPC = ['dcerpc', 'smb'];

/** Reads one option into the rule. @throws {Error} with a sentence for people. */
export type Keyword = (b: RuleBuilder, value: string) => void;

/** No byte behind a content: Suricata reads it as `endswith`, which is another thing for a content that is unwanted. */
function isdataat(b: RuleBuilder, value: string): void {
  const match = parseIsDataAt(value, b);
  const before = b.lastMatch;
  const isNext = match.at.variable < 0 && match.at.value === 1;
  if (match.negated && match.relative && isNext && before?.kind === 'content') before.endswith = true;
  else b.add(match);
}

/** Numbers in the byte order of DCE/RPC are of its messages. */
function addRead(b: RuleBuilder, match: ByteTestMatch | ByteJumpMatch | ByteExtractMatch): void {
  if (match.read.dce && (b.sticky === undefined || match.kind === 'byte_extract')) useProtos(b, DCERPC);
  b.add(match);
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
  if (bytes > MAX_ENCODED || offset > MAX_ENCODED) throw new Error(`bytes and offset are ${MAX_ENCODED} at most`);
  b.add({ kind: 'base64_decode', bytes, offset, relative, inner: [], relativeNext: false });
}

function base64Data(b: RuleBuilder): void {
  if (b.inner !== undefined) throw new Error('is given twice');
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
  target.matches.push({ kind: 'bsize', range: parseLooseRange(range, 65535) });
}

const ABSENCES: Readonly<Record<string, AbsentMatch['alternative']>> = {
  '': 'none',
  only: 'none',
  or_else: 'matches',
  must_error: 'failed',
};

function chooseSide(b: RuleBuilder, only: 'to_server' | 'to_client'): void {
  if (b.rule.direction !== '=>') throw new Error('is for rules about both directions: =>');
  b.only = only;
}

/** Keywords that look into bytes. */
export const PAYLOAD_KEYWORDS: Readonly<Record<string, Keyword>> = {
  ...CONTENT_KEYWORDS,
  pcre(b, value) {
    const { match, buffer } = parsePcre(value);
    if (match.captures.length > 0) b.rule.hasCaptures = true;
    b.addPcre(match, buffer);
  },
  isdataat,
  byte_test: (b, value) => addRead(b, parseByteTest(value, b)),
  byte_jump: (b, value) => addRead(b, parseByteJump(value, b)),
  byte_extract: (b, value) => addRead(b, parseByteExtract(value, b)),
  byte_math: (b, value) => b.add(parseByteMath(value, b)),
  asn1,
  base64_decode: base64Decode,
  base64_data: base64Data,
  bsize(b, value) {
    if (!b.sticky && !b.inner) throw new Error('needs a buffer keyword before it');
    b.add({ kind: 'bsize', range: parseRange(value) });
  },
  absent(b, value) {
    if (!b.sticky) throw new Error('needs a buffer keyword before it');
    const alternative = own(ABSENCES, value);
    if (alternative === undefined) throw new Error(`"${value}" is not understood here`);
    b.add({ kind: 'absent', alternative });
  },
  entropy: (b, value) => b.add(parseEntropy(value)),
  dataset,
  datarep,
  ...FILE_KEYWORDS,
  urilen,
  'bidir.toserver': (b) => {
    chooseSide(b, 'to_server');
  },
  'bidir.toclient': (b) => {
    chooseSide(b, 'to_client');
  },
  pkt_data(b) {
    b.sticky = undefined;
    b.inner = undefined;
  },
  ...Object.fromEntries(
    Object.entries(CONTENT_MODIFIERS).map(([name, buffer]): [string, Keyword] => [name, (b) => b.moveLast(buffer)]),
  ),
};
