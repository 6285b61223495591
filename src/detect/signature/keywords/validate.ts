import type { RuleOption } from '../parse/rule.js';
import type { BufferInspection, ContentMatch, Match, NumberRange, Rule } from '../rule.js';
import { HEADER_KEYWORDS } from './header.js';

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
const UPPER = /[A-Z]/;

/** Named without a content they are always there. */
const ADDRESSES: ReadonlySet<string> = new Set(['ip.src', 'ip.dst']);

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

function validateContent({ buffer, transforms }: BufferInspection, content: ContentMatch): void {
  const text = textOf(content);
  if (transforms.length > 0) return;
  if (buffer.name === 'http.host') {
    if (content.nocase) throw new Error('nocase is of no use with http.host, which is in lower case');
    if (UPPER.test(text)) throw new Error('http.host is in lower case, and the content is not');
  }
  const length = HASH_LENGTHS[buffer.name];
  if (length !== undefined && content.bytes.length !== length)
    throw new Error(`${buffer.name} has ${length} characters, and the content ${content.bytes.length}`);
  if (buffer.name === 'tls.cert_serial' && text.length > 2 && !text.includes(':'))
    throw new Error('tls.cert_serial has colons between its bytes');
}

/** Keywords about single packets, beside those about headers. */
const OF_PACKETS: ReadonlySet<string> = new Set([...Object.keys(HEADER_KEYWORDS), 'flow.age']);

/** Streams have no headers. @throws {Error} when a rule about streams only asks for some. */
export function validatePlace(rule: Rule, options: readonly RuleOption[]): void {
  if (rule.proto !== 'tcp-stream' && rule.flow?.onlyStream !== true) return;
  const name =
    options.find((option) => OF_PACKETS.has(option.name))?.name ??
    rule.buffers.find(({ buffer }) => buffer.source === 'packet' && !ADDRESSES.has(buffer.name))?.buffer.name ??
    (rule.flow?.noStream === true ? 'flow:no_stream' : undefined) ??
    (rule.proto === 'tcp-pkt' ? rule.proto : undefined);
  if (name !== undefined) throw new Error(`${name} is about packets, and the rule about streams only`);
}

/** The largest number within a range. */
function largest({ operator, a, b }: NumberRange): number {
  if (operator === '=' || operator === '<=') return a;
  if (operator === '<') return a - 1;
  return operator === '<>' ? b - 1 : Infinity;
}

/** A content longer than `bsize` allows is never found. */
function validateSizes({ buffer, matches, transforms }: BufferInspection): void {
  if (transforms.length > 0) return;
  let size = Infinity;
  for (const match of matches) if (match.kind === 'bsize') size = Math.min(size, largest(match.range));
  for (const match of matches) {
    if (match.kind !== 'content' || match.negated) continue;
    const offset = match.offset === undefined || match.offset.variable >= 0 ? 0 : match.offset.value;
    if (offset + match.bytes.length > size)
      throw new Error(`a content of ${buffer.name} ends behind the size that the rule wants`);
  }
}
