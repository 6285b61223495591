import type { Part, Splitter } from './split.js';

const LF = 10;
const text = (d: Uint8Array, to: number): string => Buffer.from(d.buffer, d.byteOffset, to).toString('latin1');

/** Index behind the line that begins at `from`, or -1. */
function lineEnd(d: Uint8Array, from: number): number {
  const at = d.indexOf(LF, from);
  return at < 0 ? -1 : at + 1;
}

/** Index behind the empty line that ends a header, or -1. */
function headerEnd(d: Uint8Array): number {
  for (let at = lineEnd(d, 0); at >= 0;) {
    const next = lineEnd(d, at);
    if (next < 0) return -1;
    if (next - at === 1 || (next - at === 2 && d[at] === 13)) return next;
    at = next;
  }
  return -1;
}

/** Index behind the last chunk of a body that begins at `from`, or -1. */
function chunksEnd(d: Uint8Array, from: number): number {
  for (let at = from; ;) {
    const line = lineEnd(d, at);
    if (line < 0) return -1;
    const size = parseInt(text(d.subarray(at, line), line - at), 16);
    if (Number.isNaN(size)) return line;
    if (size === 0) return lineEnd(d, line);
    at = line + size + 2;
    if (at > d.length) return -1;
  }
}

/** Messages of HTTP/1: requests and answers with their bodies. */
export const splitHttp: Splitter = (d, side) => {
  const type = side === 0 ? 'request' : 'response';
  const growing = { parts: [[type, 0, -1]] as Part[], length: undefined };
  const end = headerEnd(d);
  if (end < 0) return growing;
  const header = text(d, end);
  if (/^transfer-encoding:.*chunked/im.test(header)) {
    const last = chunksEnd(d, end);
    return last < 0 ? growing : { parts: [[type, 0, last]], length: last };
  }
  const hasNone = side === 1 && /^HTTP\/1\.\d (1\d\d|204|304)/.test(header);
  const size = hasNone ? '0' : /^content-length:\s*(\d+)/im.exec(header)?.[1];
  if (size === undefined && side === 1) return { parts: [[type, 0, -1]], length: Infinity };
  const length = end + Number(size ?? 0);
  return { parts: [[type, 0, length]], length };
};

/** One datagram of SIP: first line, header, body. */
export const splitSip: Splitter = (d) => {
  const line = lineEnd(d, 0);
  const end = headerEnd(d);
  const parts: Part[] = [['pdu', 0, d.length]];
  if (line < 0 || end < 0) return { parts, length: d.length };
  const kind = text(d, Math.min(8, d.length)).startsWith('SIP/') ? 'response' : 'request';
  parts.push([`${kind}.line`, 0, line], [`${kind}.headers`, line, end]);
  if (d.length > end) parts.push([`${kind}.body`, end, d.length]);
  return { parts, length: d.length };
};

const IAC = 255;
const SUBNEGOTIATION = 250;
/** Questions that end without a line's end. */
const PROMPT = /(login|password|username):\s?$/i;

/** Bytes of the command of telnet (RFC 854) that `d` begins with; 0 when it is not whole. */
function commandLength(d: Uint8Array): number {
  if (d.length < 2) return 0;
  if (d[1] === SUBNEGOTIATION) return Math.max(0, d.indexOf(IAC, 2));
  const length = d[1]! > SUBNEGOTIATION ? 3 : 2;
  return d.length < length ? 0 : length;
}

/** Commands of telnet, and lines between them. */
export const splitTelnet: Splitter = (d, side) => {
  if (d.length === 0) return undefined;
  const isCommand = d[0] === IAC;
  const isPrompt = (): boolean => side === 1 && PROMPT.test(text(d, d.length));
  const length = isCommand ? commandLength(d) : Math.max(0, lineEnd(d, 0)) || (isPrompt() ? d.length : 0);
  if (length > 0) return { parts: [['pdu', 0, length], [isCommand ? 'ctl' : 'data', 0, length]], length }; // prettier-ignore
  return isCommand ? undefined : { parts: [['pdu', 0, -1], ['data', 0, -1]], length: undefined }; // prettier-ignore
};
