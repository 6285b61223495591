import { BoundedPattern } from '../../src/detect/signature/match/guard.js';
import { createTransform } from '../../src/detect/signature/match/transform.js';

/** A number in [0, 1). */
export type Random = () => number;

/** Bytes that a buffer of some packet or transaction begins with. */
export interface Sample {
  /** Protocol of rules that see it. */
  proto: string;
  /** Its sticky buffer; empty for the payload. */
  buffer: string;
  bytes: Uint8Array;
}

export const pick = <T>(random: Random, list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
const upTo = (random: Random, max: number): number => Math.floor(random() * (max + 1));
/** The number itself, mostly; else one beside it. */
const near = (random: Random, n: number): number => (random() < 0.7 ? n : n + upTo(random, 4) - 2);

/** As the value of `content` or of `pcre`. */
export const inContent = (bytes: Uint8Array): string =>
  [...bytes]
    .map((b) => {
      const char = String.fromCharCode(b);
      return /[A-Za-z0-9 ./_=-]/.test(char) ? char : `|${b.toString(16).padStart(2, '0')}|`;
    })
    .join('');
const inPattern = (bytes: Uint8Array): string =>
  [...bytes]
    .map((b) => {
      const char = String.fromCharCode(b);
      return /[A-Za-z0-9 =_-]/.test(char) ? char : `\\x${b.toString(16).padStart(2, '0')}`;
    })
    .join('');

const otherCase = (random: Random, bytes: Uint8Array): Uint8Array =>
  bytes.map((b) => (/[A-Za-z]/.test(String.fromCharCode(b)) && random() < 0.5 ? b ^ 32 : b));

interface Slice {
  from: number;
  to: number;
  bytes: Uint8Array;
}

function slice(random: Random, bytes: Uint8Array, after: number): Slice {
  const start = Math.min(after, bytes.length - 1);
  const from = start + upTo(random, Math.min(bytes.length - 1 - start, 30));
  const to = Math.min(bytes.length, from + 1 + upTo(random, 7));
  return { from, to, bytes: bytes.subarray(from, to) };
}

/** Where a content may be, from the beginning of the buffer or from the match before. */
function place(random: Random, { from, to }: Slice, { size, after }: { size: number; after: number }): string[] {
  const length = to - from;
  const modifiers: string[] = [];
  if (after >= 0 && random() < 0.7) {
    if (random() < 0.7) modifiers.push(`distance:${near(random, from - after)}`);
    if (random() < 0.6) modifiers.push(`within:${Math.max(length, near(random, to - after))}`);
  } else if (random() < 0.15) modifiers.push('startswith');
  else {
    if (random() < 0.3) modifiers.push(`offset:${Math.max(0, near(random, from))}`);
    if (random() < 0.4) {
      const offset = modifiers.length > 0 ? Number(modifiers[0]!.split(':')[1]) : 0;
      modifiers.push(`depth:${Math.max(length, near(random, to - offset))}`);
    }
  }
  if (random() < 0.08 || (to === size && random() < 0.3)) modifiers.push('endswith');
  return modifiers;
}

function content(random: Random, sample: Sample, after: number): { options: string[]; end: number } {
  const part = slice(random, sample.bytes, Math.max(0, after));
  const isNegated = random() < 0.15;
  const nocase = random() < 0.3 && sample.buffer !== 'http.host' ? ['nocase'] : [];
  const bytes = nocase.length > 0 ? otherCase(random, part.bytes) : part.bytes;
  const where = place(random, part, { size: sample.bytes.length, after });
  const fast = !isNegated && where.length === 0 && random() < 0.1 ? ['fast_pattern'] : [];
  const options = [`content:${isNegated ? '!' : ''}"${inContent(bytes)}"`, ...nocase, ...where, ...fast];
  return { options, end: isNegated ? after : part.to };
}

const COMPARISONS = ['=', '>', '<', '>=', '<=', '!='];

/** A number of the bytes behind the match, as the keywords about numbers see it. */
function numberAt(random: Random, bytes: Uint8Array, after: number) {
  const count = 1 + upTo(random, 3);
  const isRelative = after >= 0 && random() < 0.6;
  const offset = upTo(random, 6);
  const at = (isRelative ? after : 0) + offset;
  const little = random() < 0.3;
  const read = [...bytes.subarray(at, at + count)];
  const value = (little ? read.reverse() : read).reduce((n, b) => n * 256 + b, 0);
  const flags = [...(isRelative ? ['relative'] : []), ...(little ? ['little'] : [])];
  return { count, offset, value, flags, isRelative };
}

function byteTest(random: Random, bytes: Uint8Array, after: number): string {
  const { count, offset, value, flags } = numberAt(random, bytes, after);
  const operator = `${random() < 0.2 ? '!' : ''}${pick(random, ['=', '>', '<', '>=', '<=', '&', '^'])}`;
  const all = random() < 0.15 ? [...flags, 'string', pick(random, ['dec', 'hex', 'oct'])] : flags;
  return ['byte_test:' + String(count), operator, near(random, value) & 0x7fffffff, offset, ...all].join(',');
}

function byteJump(random: Random, sample: Sample, after: number): string[] {
  const { count, offset, flags } = numberAt(random, sample.bytes, after);
  const more = pick(random, [[], ['align'], ['multiplier 2'], ['from_beginning'], ['post_offset 1'], ['post_offset -2']]); // prettier-ignore
  const follow = pick(random, [`isdataat:${upTo(random, 8)},relative`, `content:"${inContent(slice(random, sample.bytes, after).bytes)}"; distance:0`]); // prettier-ignore
  return [['byte_jump:' + String(count), offset, ...flags, ...more].join(','), follow];
}

/** Takes a number from the bytes and uses it. */
function variable(random: Random, sample: Sample, after: number): string[] {
  const { count, offset, value, flags, isRelative } = numberAt(random, sample.bytes, after);
  const part = slice(random, sample.bytes, Math.max(0, after));
  const text = inContent(part.bytes);
  const isMath = random() < 0.4;
  const operand = 1 + upTo(random, 5);
  const relative = isRelative ? ',relative' : '';
  const taken = isMath
    ? `byte_math:bytes ${count},offset ${offset},oper ${pick(random, ['+', '-', '*', '/', '<<', '>>'])},rvalue ${operand},result v${flags.includes('little') ? ',endian little' : ''}${relative}` // prettier-ignore
    : ['byte_extract:' + String(count), offset, 'v', ...flags].join(',');
  const use = pick(random, [
    `byte_test:${count},${pick(random, COMPARISONS)},v,${offset}`,
    `content:"${text}"; offset:v`,
    `content:"${text}"; depth:v`,
    `content:"${text}"; distance:v`,
    `content:"${text}"; within:v`,
    `isdataat:v`,
    `isdataat:!v`,
    `byte_test:1,${pick(random, COMPARISONS)},${value & 255},v`,
    `byte_jump:1,v; isdataat:1,relative`,
  ]);
  return [taken, use];
}

function pattern(random: Random, sample: Sample, after: number): string {
  const part = slice(random, sample.bytes, Math.max(0, after));
  const isRelative = after >= 0 && random() < 0.4;
  let text = inPattern(part.bytes);
  if (random() < 0.3) text += pick(random, ['.', '.+', '[^\\x0d\\x0a]*', '\\s?', '(?:a|.)', '\\w{1,3}', '(.)\\1?']);
  if (random() < 0.15) text = `^${text}`;
  if (random() < 0.1) text += '$';
  const flags = ['i', 's', 'm', 'x', 'A', 'E', 'G'].filter(() => random() < 0.12).join('');
  return `pcre:${random() < 0.12 ? '!' : ''}"/${text.replaceAll(' ', '\\x20')}/${flags}${isRelative ? 'R' : ''}"`;
}

const CHANGES = ['to_lowercase', 'to_uppercase', 'strip_whitespace', 'compress_whitespace', 'url_decode', 'dotprefix', 'to_md5', 'to_sha1', 'to_sha256', 'xor:0d0a']; // prettier-ignore

/** The sample as a transform leaves it, with its keyword. */
function changed(random: Random, sample: Sample): { sample: Sample; options: string[] } {
  if (sample.buffer === '' || random() > 0.2) return { sample, options: [] };
  const keyword = pick(
    random,
    CHANGES.filter((c) => sample.buffer !== 'http.host' || c !== 'to_uppercase'),
  );
  const [name, value] = keyword.split(':');
  const transform = createTransform(
    name!,
    value === undefined ? undefined : `"${value}"`,
    (text) => new BoundedPattern(text, false),
  );
  const bytes = transform!.apply(sample.bytes);
  if (bytes.length === 0) return { sample, options: [] };
  return { sample: { ...sample, bytes }, options: [value === undefined ? name! : `${name!}:"${value}"`] };
}

const PACKETS = ['tcp', 'tcp-pkt', 'tcp-stream', 'udp', 'icmp', 'ip'];

/** Conditions about packets and flows, and what an alert leaves behind. */
function circumstances(random: Random, sample: Sample): string[] {
  const isTcp = !['udp', 'icmp', 'ip', 'dns', 'snmp', 'krb5', 'dhcp', 'ike', 'quic', 'sip'].includes(sample.proto);
  const isPacket = PACKETS.includes(sample.proto);
  const size = sample.bytes.length;
  const all = [
    'flow:established',
    'flow:to_server',
    'flow:to_client',
    ...(isTcp ? ['flow:established,to_server', 'flow:not_established', 'stream_size:server,>,100', 'stream_size:both,<,900'] : []), // prettier-ignore
    ...(isTcp && isPacket ? ['flags:A+', 'flags:!S', 'flags:PA', 'window:>1000', 'seq:1', 'ack:!0'] : []),
    ...(isPacket ? [`dsize:${pick(random, ['>', '<'])}${size}`, `dsize:${size}`, 'ttl:>64', 'ttl:<65', 'tos:0', 'fragbits:D', 'sameip', 'id:0', 'ip_proto:!17'] : []), // prettier-ignore
    ...(sample.proto === 'icmp' ? ['itype:8', 'itype:>3', 'icode:0', 'icmp_seq:1', 'icmp_id:1'] : []),
    'threshold:type limit,track by_src,count 1,seconds 60',
    'threshold:type threshold,track by_dst,count 2,seconds 600',
    'threshold:type both,track by_src,count 2,seconds 600',
    'detection_filter:track by_src,count 1,seconds 600',
    `flowbits:${pick(random, ['set', 'isset', 'isnotset', 'unset', 'toggle'])},b${upTo(random, 2)}`,
    `xbits:${pick(random, ['set', 'isset', 'isnotset', 'unset'])},x${upTo(random, 1)},track ${pick(random, ['ip_src', 'ip_dst', 'ip_pair'])}${random() < 0.5 ? ',expire 60' : ''}`,
    `flowint:count,${pick(random, ['+,1', '>,1', '=,1', 'isset', 'notset'])}`,
    `app-layer-protocol:${pick(random, ['http', '!http', 'dns', 'tls', 'failed', '!smtp'])}`,
  ];
  return random() < 0.35 ? [pick(random, all)] : [];
}

/** A rule that the packets which a sample is of may match. */
export function randomRule(random: Random, original: Sample, sid: number): string {
  const { sample, options } = changed(random, original);
  const isPayload = sample.buffer === '';
  const tests = isPayload ? [] : [sample.buffer, ...options];
  if (!isPayload && random() < 0.12) tests.push(`bsize:${pick(random, ['', '>', '<', '<='])}${near(random, sample.bytes.length) + 2}`); // prettier-ignore
  let after = -1;
  for (let i = upTo(random, 2); i >= 0; i--) {
    const found = content(random, sample, after);
    tests.push(...found.options);
    after = found.end;
  }
  const more = random();
  if (more < 0.1)
    tests.push(`isdataat:${random() < 0.4 ? '!' : ''}${upTo(random, sample.bytes.length)}${after >= 0 && random() < 0.5 ? ',relative' : ''}`); // prettier-ignore
  else if (more < 0.2) tests.push(byteTest(random, sample.bytes, after));
  else if (more < 0.27) tests.push(...byteJump(random, sample, Math.max(0, after)));
  else if (more < 0.37) tests.push(...variable(random, sample, after));
  else if (more < 0.5) tests.push(pattern(random, sample, after));
  const all = [...circumstances(random, sample), ...tests];
  return `alert ${sample.proto} any any -> any any (${all.join('; ')}; sid:${sid};)`;
}
