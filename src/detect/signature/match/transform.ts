import { createHash } from 'node:crypto';
import { decompressor } from './decompress.js';
import { Effort, Subject, type BoundedPattern } from './guard.js';
import { own } from '../../../util/own.js';

/** Changes a buffer before contents look at it. */
export interface Transform {
  /** Name and arguments: equal texts give equal results. */
  key: string;
  apply(data: Uint8Array): Uint8Array;
  /** Whether it cannot be applied, which `absent` asks for; a transform without it always can. */
  fails?(data: Uint8Array): boolean;
}

const EMPTY = new Uint8Array(0);
const isSpace = (b: number): boolean => b === 32 || (b >= 9 && b <= 13);

function filter(data: Uint8Array, keep: (byte: number, i: number) => boolean): Uint8Array {
  const out = new Uint8Array(data.length);
  let n = 0;
  for (let i = 0; i < data.length; i++) if (keep(data[i]!, i)) out[n++] = data[i]!;
  return out.subarray(0, n);
}

function map(data: Uint8Array, to: (byte: number, i: number) => number): Uint8Array {
  const out = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) out[i] = to(data[i]!, i);
  return out;
}

const lower = (b: number): number => (b >= 65 && b <= 90 ? b + 32 : b);
const upper = (b: number): number => (b >= 97 && b <= 122 ? b - 32 : b);

function hexDigit(b: number | undefined): number {
  if (b === undefined) return -1;
  if (b >= 48 && b <= 57) return b - 48;
  const l = b | 32;
  return l >= 97 && l <= 102 ? l - 87 : -1;
}

function urlDecode(data: Uint8Array): Uint8Array {
  const out = new Uint8Array(data.length);
  let n = 0;
  for (let i = 0; i < data.length; i++) {
    const b = data[i]!;
    const high = b === 37 ? hexDigit(data[i + 1]) : -1;
    const low = high >= 0 ? hexDigit(data[i + 2]) : -1;
    if (low >= 0) {
      out[n++] = high * 16 + low;
      i += 2;
    } else out[n++] = b === 43 ? 32 : b;
  }
  return out.subarray(0, n);
}

/** Lines whose name begins with `:` (HTTP/2 pseudo headers) are left out. */
function stripPseudoHeaders(data: Uint8Array): Uint8Array {
  const lines = Buffer.from(data)
    .toString('latin1')
    .split(/(?<=\n)/);
  return Buffer.from(lines.filter((line) => !line.startsWith(':')).join(''), 'latin1');
}

/** Header names in lower case, values as they are. */
function headerLowercase(data: Uint8Array): Uint8Array {
  let name = true;
  return map(data, (b) => {
    if (b === 10) name = true;
    else if (b === 58) name = false;
    return name ? lower(b) : b;
  });
}

function dotPrefix(data: Uint8Array): Uint8Array {
  const out = new Uint8Array(data.length + 1);
  out[0] = 46;
  out.set(data, 1);
  return out;
}

const SIMPLE: Readonly<Record<string, (data: Uint8Array) => Uint8Array>> = {
  dotprefix: dotPrefix,
  strip_whitespace: (d) => filter(d, (b) => !isSpace(b)),
  compress_whitespace: (d) => filter(d, (b, i) => !isSpace(b) || i === 0 || !isSpace(d[i - 1]!)),
  to_lowercase: (d) => map(d, lower),
  to_uppercase: (d) => map(d, upper),
  header_lowercase: headerLowercase,
  strip_pseudo_headers: stripPseudoHeaders,
  url_decode: urlDecode,
  to_md5: (d) => createHash('md5').update(d).digest(),
  to_sha1: (d) => createHash('sha1').update(d).digest(),
  to_sha256: (d) => createHash('sha256').update(d).digest(),
};

/** What `from_base64` and `base64_decode` accept. */
export interface Base64Options {
  /** `rfc4648`: bytes outside the alphabet end it; `rfc2045`: they are skipped; `strict`: they make it fail. */
  mode: 'rfc4648' | 'rfc2045' | 'strict';
}

const BASE64 = new Int8Array(256).fill(-1);
for (const [i, c] of [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'].entries())
  BASE64[c.charCodeAt(0)] = i;

/** Decodes base64 as far as it goes. */
export function decodeBase64(data: Uint8Array, options: Base64Options): Uint8Array {
  const out = new Uint8Array(Math.ceil((data.length * 3) / 4));
  let n = 0;
  let bits = 0;
  let held = 0;
  for (const b of data) {
    const value = BASE64[b]!;
    if (value < 0) {
      if (b === 61) break;
      if (options.mode === 'rfc2045' || (options.mode === 'rfc4648' && b === 32)) continue;
      if (options.mode === 'strict') return EMPTY;
      break;
    }
    held = ((held << 6) | value) & 0xffffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out[n++] = (held >>> bits) & 255;
    }
  }
  return out.subarray(0, n);
}

/** What cannot be decoded stays as it is; with `set_error` there is nothing to look at then, and `absent` knows. */
function fromBase64(value: string): Omit<Transform, 'key'> {
  let bytes = 0;
  let offset = 0;
  let mode: Base64Options['mode'] = 'rfc4648';
  let setsError = false;
  for (const part of value.split(',').map((p) => p.trim())) {
    if (part === '') continue;
    const [key, argument = ''] = part.toLowerCase().split(/\s+/);
    if (key === 'bytes' && /^\d+$/.test(argument)) bytes = Number(argument);
    else if (key === 'offset' && /^\d+$/.test(argument)) offset = Number(argument);
    else if (key === 'mode' && /^(rfc4648|rfc2045|strict)$/.test(argument)) mode = argument as Base64Options['mode'];
    else if (key === 'set_error' && argument === '') setsError = true;
    else throw new Error(`"${part}" is not understood here`);
  }
  const decode = (data: Uint8Array): Uint8Array =>
    offset + bytes > data.length
      ? EMPTY
      : decodeBase64(data.subarray(offset, bytes > 0 ? offset + bytes : undefined), { mode });
  return {
    apply(data) {
      const decoded = decode(data);
      return decoded.length > 0 || setsError ? decoded : data;
    },
    ...(setsError ? { fails: (data: Uint8Array) => decode(data).length === 0 } : {}),
  };
}

/** `OFFSET[,BYTES][,truncate]`, both counted from the end when negative; what does not fit leaves nothing, or less. */
function subslice(value: string): Transform['apply'] {
  const m = /^\s*(-?\d+)\s*(?:,\s*(-?\d+)\s*)?(,\s*truncate\s*)?$/i.exec(value);
  if (!m || Number(m[2] ?? 1) === 0) throw new Error(`"${value}" is not an offset and a number of bytes`);
  const offset = Number(m[1]);
  const bytes = m[2] === undefined ? undefined : Number(m[2]);
  const truncates = m[3] !== undefined;
  return (data) => {
    const { length } = data;
    const start = offset >= 0 ? Math.min(offset, length) : Math.max(0, length + offset);
    const wanted = bytes === undefined ? length : bytes < 0 ? length + bytes : start + bytes;
    const isOutside = Math.abs(offset) > length || wanted < 0 || wanted > length;
    if (isOutside && !truncates) return EMPTY;
    const end = Math.min(Math.max(0, wanted), length);
    return data.subarray(Math.min(start, end), Math.max(start, end));
  };
}

function xor(value: string): Transform['apply'] {
  const key = Buffer.from(value.replace(/["\s]/g, ''), 'hex');
  if (key.length === 0 || key.length * 2 !== value.replace(/["\s]/g, '').length)
    throw new Error('the key must be an even number of hexadecimal digits');
  return (data) => map(data, (b, i) => b ^ key[i % key.length]!);
}

/** The first group of a pattern; the buffer becomes what it holds, and stays as it is without a match. */
function pcreXform(pattern: BoundedPattern): Omit<Transform, 'key'> {
  const captured = (data: Uint8Array): string | undefined => {
    return pattern.exec(new Subject(data), 0, 0, new Effort())?.[1];
  };
  return {
    apply(data) {
      const text = captured(data);
      return text === undefined ? data : Buffer.from(text, 'latin1');
    },
    fails: (data) => captured(data) === undefined,
  };
}

/** Transforms that take a value, or may. */
const WITH_VALUE: readonly string[] = ['from_base64', 'gunzip', 'pcrexform', 'subslice', 'xor', 'zlib_deflate'];

/** Transforms that take no value. */
export const TRANSFORMS_WITHOUT_VALUE: ReadonlySet<string> = new Set(Object.keys(SIMPLE));

/** Every transform, for documentation and tests. */
export const TRANSFORMS: readonly string[] = [...Object.keys(SIMPLE), ...WITH_VALUE].sort();

/** A transform by keyword, or undefined when the keyword is none. */
export function createTransform(
  name: string,
  value: string | undefined,
  compile: (pattern: string) => BoundedPattern,
): Transform | undefined {
  const key = value === undefined ? name : `${name}:${value}`;
  const simple = own(SIMPLE, name);
  if (simple) return { key, apply: simple };
  if (name === 'xor') return { key, apply: xor(value ?? '') };
  if (name === 'from_base64') return { key, ...fromBase64(value ?? '') };
  if (name === 'subslice') return { key, apply: subslice(value ?? '') };
  if (name === 'gunzip' || name === 'zlib_deflate') return { key, apply: decompressor(name, value ?? '') };
  if (name === 'pcrexform') {
    const pattern = compile((value ?? '').replace(/^"|"$/g, ''));
    if (new RegExp(`${pattern.source}|`).exec('')!.length !== 2) throw new Error('needs one group');
    return { key, ...pcreXform(pattern) };
  }
  return undefined;
}
