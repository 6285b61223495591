import type { BufferInspection, ContentMatch, Match, NumberRange, Operand, Rule } from '../rule.js';

/** Buffers of hashes in hexadecimal digits, and how long each is. */
const HASH_LENGTHS: Readonly<Record<string, number>> = {
  'ja3.hash': 32,
  'ja3s.hash': 32,
  'ssh.hassh': 32,
  'ssh.hassh.server': 32,
  'quic.cyu.hash': 32,
  // Twenty bytes with colons between them.
  'tls.cert_fingerprint': 59,
};
/** Of several contents Suricata looks at the first. */
const FIRST_ONLY = /^(ja3s?\.hash|tls\.cert_serial)$/;
const UPPER = /[A-Z]/;

/** Named without a content they are always there. */
export const ADDRESSES: ReadonlySet<string> = new Set(['ip.src', 'ip.dst']);

const textOf = (content: ContentMatch): string => Buffer.from(content.bytes).toString('latin1');

/**
 * What a rule asks for can be met at all: mistakes that Suricata refuses, too.
 * @throws {Error} with a sentence for people.
 */
export function validateRule(rule: Rule): void {
  if (isLedByRelative(rule.payload))
    throw new Error('the first pattern counts from a match before it, and there is none');
  for (const inspection of rule.buffers) {
    for (const match of inspection.matches) if (match.kind === 'content') foldContent(inspection, match);
    if (isLedByRelative(inspection.matches))
      throw new Error(`the first pattern in ${inspection.buffer.name} counts from a match before it`);
    if (inspection.matches.length === 0 && !ADDRESSES.has(inspection.buffer.name))
      throw new Error(`nothing is looked for in ${inspection.buffer.name}`);
    validateSizes(inspection);
    for (const match of inspection.matches) if (match.kind === 'content') validateContent(inspection, match);
  }
  if (rule.threshold !== undefined && rule.detectionFilter !== undefined)
    throw new Error('threshold and detection_filter exclude each other');
}

const isLedByRelative = ([first]: readonly Match[]): boolean => first?.kind === 'pcre' && first.relative;

/** Contents of fields that are in one case only are put into it. */
function foldContent({ buffer, transforms }: BufferInspection, content: ContentMatch): void {
  if (transforms.length > 0) return;
  if (buffer.name === 'tls.cert_serial') {
    content.bytes = Buffer.from(textOf(content).toUpperCase(), 'latin1');
    content.nocase = false;
  } else if (HASH_LENGTHS[buffer.name] !== undefined)
    content.bytes = Buffer.from(textOf(content).toLowerCase(), 'latin1');
}

function validateContent({ buffer, transforms, matches }: BufferInspection, content: ContentMatch): void {
  const text = textOf(content);
  if (transforms.length > 0) return;
  if (buffer.name === 'http.host') {
    if (content.nocase) throw new Error('nocase is of no use with http.host, which is in lower case');
    if (UPPER.test(text)) throw new Error('http.host is in lower case, and the content is not');
  }
  if (buffer.name === 'http.method' && /^[ \t]|[ \t]$/.test(text))
    throw new Error('http.method has no white space at its ends');
  if (FIRST_ONLY.test(buffer.name) && matches.find(({ kind }) => kind === 'content') !== content) return;
  const length = HASH_LENGTHS[buffer.name];
  if (length !== undefined && content.bytes.length !== length)
    throw new Error(`${buffer.name} has ${length} characters, and the content ${content.bytes.length}`);
  if (buffer.name === 'tls.cert_serial' && text.length > 2 && !text.includes(':'))
    throw new Error('tls.cert_serial has colons between its bytes');
}

/** The largest number that Suricata takes a range for, when it compares it with contents. */
function largest({ operator, a, b }: NumberRange): number {
  if (operator === '=' || operator === '<') return a;
  return operator === '<>' ? b : Infinity;
}

const numberOf = (operand: Operand | undefined): number =>
  operand === undefined || operand.variable >= 0 ? 0 : operand.value;

/** Bytes that the contents need: the first one, and those that count from the end of others. */
function requiredBytes(matches: readonly Match[]): number {
  let total = 0;
  let offset = 0;
  let isFirst = true;
  for (const match of matches) {
    if (match.kind !== 'content') continue;
    const isRelative = match.distance !== undefined || match.within !== undefined;
    if (!isFirst && (!isRelative || match.negated)) continue;
    total += match.bytes.length + numberOf(match.distance);
    offset = Math.max(offset, numberOf(match.offset));
    isFirst = false;
  }
  return total + offset;
}

/** What is looked for in a place of limited size fits into it. */
function validateSizes({ buffer, matches }: BufferInspection): void {
  const size = matches.find(({ kind }) => kind === 'bsize');
  if (size?.kind === 'bsize' && requiredBytes(matches) > largest(size.range))
    throw new Error(`the contents of ${buffer.name} are longer than the size that the rule wants`);
}

/** @param range what `dsize` wants. @throws {Error} when the contents are longer. */
export function validatePayloadSize(range: NumberRange, payload: readonly Match[]): void {
  if (requiredBytes(payload) > (range.operator === '!=' ? range.a : largest(range)))
    throw new Error('the contents are longer than the payload that the rule wants');
}
