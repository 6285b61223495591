import type {
  ByteExtractMatch,
  ByteJumpMatch,
  ByteMathMatch,
  ByteTestMatch,
  Comparison,
  IsDataAtMatch,
  NumberRead,
  Operand,
} from '../rule.js';
import { parseNumber } from './number.js';

/** Finds or makes the number of a variable. */
export interface Variables {
  /** @throws {Error} when nothing before defines it. */
  find(name: string): number;
  define(name: string): number;
}

const COMPARISONS: readonly Comparison[] = ['<=', '>=', '!=', '=', '<', '>', '&', '^'];

/** A number or a variable's name. */
export function parseOperand(text: string, variables: Variables, from?: number, to?: number): Operand {
  const t = text.trim();
  if (/^[-+]?\d/.test(t)) return { value: parseNumber(t, from, to), variable: -1 };
  return { value: 0, variable: variables.find(t) };
}

function splitParts(value: string): string[] {
  return value.split(',').map((p) => p.trim());
}

function emptyRead(): NumberRead {
  const zero = { value: 0, variable: -1 };
  return {
    bytes: zero,
    offset: zero,
    relative: false,
    little: false,
    dce: false,
    base: 0,
    text: false,
    bitmask: undefined,
  };
}

/** Understands the flags that all of them share; false when it is none. */
function readFlag(read: NumberRead, flag: string): boolean {
  if (flag === 'relative') read.relative = true;
  else if (flag === 'little') read.little = true;
  else if (flag === 'big') read.little = false;
  else if (flag === 'dce') read.dce = true;
  else if (flag === 'string') {
    read.text = true;
    if (read.base === 0) read.base = 10;
  } else if (flag === 'hex') read.base = 16;
  else if (flag === 'dec') read.base = 10;
  else if (flag === 'oct') read.base = 8;
  else if (/^bitmask\s+/.test(flag)) {
    const text = flag.replace(/^bitmask\s+/, '');
    if (!/^0x/i.test(text)) throw new Error('bitmask needs a hexadecimal number, such as 0xff00');
    read.bitmask = parseNumber(text, 0, 0xffffffff);
  } else return false;
  return true;
}

/** `hex` and the like say how text is read. */
function checkBase(read: NumberRead): void {
  if (read.base !== 0 && !read.text) throw new Error('hex, dec and oct need string before them');
}

function unknownFlag(flag: string): Error {
  return new Error(`"${flag}" is not understood here`);
}

function checkBytes(read: NumberRead, max: number): void {
  const n = read.bytes;
  if (n.variable < 0 && (n.value < 0 || n.value > max)) throw new Error(`${n.value} bytes cannot be read`);
}

export function parseByteTest(value: string, variables: Variables): ByteTestMatch {
  const parts = splitParts(value);
  if (parts.length < 4) throw new Error('needs bytes, operator, value and offset');
  const read = emptyRead();
  read.bytes = parseOperand(parts[0]!, variables, 0, 23);
  let operator = parts[1]!;
  let negated = false;
  if (operator.startsWith('!')) {
    negated = true;
    operator = operator.slice(1).trim() || '=';
    if (operator === '!=') throw new Error('"!!=" is not an operator');
  }
  if (!(COMPARISONS as readonly string[]).includes(operator)) throw new Error(`"${operator}" is not an operator`);
  const wanted = parseOperand(parts[2]!, variables);
  read.offset = parseOperand(parts[3]!, variables);
  for (const flag of parts.slice(4)) if (!readFlag(read, flag)) throw unknownFlag(flag);
  checkBytes(read, read.text ? 23 : 8);
  checkBase(read);
  return { kind: 'byte_test', read, negated, operator: operator as Comparison, value: wanted };
}

export function parseByteJump(value: string, variables: Variables): ByteJumpMatch {
  const parts = splitParts(value);
  if (parts.length < 2) throw new Error('needs bytes and offset');
  const match: ByteJumpMatch = {
    kind: 'byte_jump',
    read: emptyRead(),
    multiplier: 1,
    align: false,
    fromBeginning: false,
    fromEnd: false,
    postOffset: { value: 0, variable: -1 },
    relativeNext: false,
  };
  match.read.bytes = parseOperand(parts[0]!, variables, 0, 23);
  match.read.offset = parseOperand(parts[1]!, variables, -65_535, 65_535);
  for (const flag of parts.slice(2)) {
    if (flag === 'align') match.align = true;
    else if (flag === 'from_beginning') match.fromBeginning = true;
    else if (flag === 'from_end') match.fromEnd = true;
    else if (/^multiplier\s/.test(flag)) match.multiplier = parseNumber(flag.slice(11), 1, 65535);
    else if (/^post_offset\s/.test(flag)) match.postOffset = parseOperand(flag.slice(12), variables, -65535, 65535);
    else if (!readFlag(match.read, flag)) throw unknownFlag(flag);
  }
  if (match.fromBeginning && match.fromEnd) throw new Error('from_beginning and from_end exclude each other');
  checkBytes(match.read, match.read.text ? 23 : 8);
  checkBase(match.read);
  return match;
}

function parseAlignment(text: string): number {
  const align = parseNumber(text, 2, 4);
  if (align === 3) throw new Error('align is 2 or 4');
  return align;
}

export function parseByteExtract(value: string, variables: Variables): ByteExtractMatch {
  const parts = splitParts(value);
  if (parts.length < 3) throw new Error('needs bytes, offset and a variable');
  const match: ByteExtractMatch = {
    kind: 'byte_extract',
    read: emptyRead(),
    multiplier: 1,
    align: 0,
    variable: -1,
    relativeNext: false,
  };
  match.read.bytes = parseOperand(parts[0]!, variables, 0, 23);
  match.read.offset = parseOperand(parts[1]!, variables, -65_535, 65_535);
  for (const flag of parts.slice(3)) {
    if (/^multiplier\s/.test(flag)) match.multiplier = parseNumber(flag.slice(11), 1, 65535);
    else if (/^align\s/.test(flag)) match.align = parseAlignment(flag.slice(6));
    else if (!readFlag(match.read, flag)) throw unknownFlag(flag);
  }
  checkBytes(match.read, match.read.text ? 23 : 8);
  checkBase(match.read);
  match.variable = variables.define(parts[2]!);
  return match;
}

export function parseByteMath(value: string, variables: Variables): ByteMathMatch {
  const read = emptyRead();
  let operator: ByteMathMatch['operator'] | undefined;
  let rvalue: Operand | undefined;
  let result: string | undefined;
  let bytes: Operand | undefined;
  let bitmask: number | undefined;
  let hasOffset = false;
  for (const part of splitParts(value)) {
    const [key, ...rest] = part.split(/\s+/);
    const argument = rest.join(' ');
    if (key === 'bytes') bytes = parseOperand(argument, variables, 1, 10);
    else if (key === 'offset') {
      read.offset = parseOperand(argument, variables, -65_535, 65_535);
      hasOffset = true;
    } else if (key === 'oper') {
      if (!/^(?:[-+*/]|<<|>>)$/.test(argument)) throw new Error(`"${argument}" is not an operator`);
      operator = argument as ByteMathMatch['operator'];
    } else if (key === 'rvalue') rvalue = parseOperand(argument, variables, 0, 0xffffffff);
    else if (key === 'result') result = argument;
    else if (key === 'endian') {
      if (!/^(big|little|dce)$/.test(argument)) throw new Error(`"${argument}" is not an order of bytes`);
      if (argument === 'dce') read.dce = true;
      read.little = argument === 'little';
    } else if (key === 'string') {
      if (!/^(hex|oct|dec)$/.test(argument)) throw new Error('string needs hex, oct or dec');
      read.text = true;
      read.base = argument === 'hex' ? 16 : argument === 'oct' ? 8 : 10;
    } else if (key === 'bitmask')
      bitmask = parseNumber(/^0x/i.test(argument) ? argument : `0x${argument}`, 0, 0xffffffff);
    else if (!readFlag(read, part)) throw unknownFlag(part);
  }
  if (!bytes || !hasOffset || !operator || !rvalue || !result)
    throw new Error('needs bytes, offset, oper, rvalue and result');
  if (operator === '/' && rvalue.variable < 0 && rvalue.value === 0) throw new Error('divides by zero');
  read.bytes = bytes;
  const variable = variables.define(result);
  return { kind: 'byte_math', read, operator, rvalue, bitmask, variable, relativeNext: false };
}

export function parseIsDataAt(value: string, variables: Variables): IsDataAtMatch {
  const parts = splitParts(value);
  const negated = parts[0]!.startsWith('!');
  const flags = parts.slice(1);
  for (const flag of flags) if (flag !== 'relative' && flag !== 'rawbytes') throw unknownFlag(flag);
  return {
    kind: 'isdataat',
    at: parseOperand(negated ? parts[0]!.slice(1) : parts[0]!, variables, 0, 65535),
    relative: flags.includes('relative'),
    negated,
  };
}
