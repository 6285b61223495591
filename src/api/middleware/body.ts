import type { IncomingMessage } from 'node:http';
import { userError } from '../errors.js';

export interface BodyLimits {
  bodyLimitBytes: number;
  bodyDepth: number;
  requestTimeoutSecs: number;
  uploadLimitBytes: number;
}

function timedOut(): Error {
  return userError({ code: 'request.timeout', message: 'The request body did not arrive in time.' });
}

function tooLarge(limit: number): Error {
  return userError({ code: 'request.too_large', message: `The request body is longer than ${limit} bytes.` });
}

/** True when the text nests deeper than `limit`; brackets inside strings do not count. */
export function nestsDeeper(text: string, limit: number): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (inString) {
      if (c === 0x5c) i++;
      else if (c === 0x22) inString = false;
    } else if (c === 0x22) inString = true;
    else if (c === 0x7b || c === 0x5b) {
      if (++depth > limit) return true;
    } else if (c === 0x7d || c === 0x5d) depth--;
  }
  return false;
}

async function readAll(request: IncomingMessage, limit: number, timeoutMs: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const late = new AbortController();
  const timer = setTimeout(() => {
    late.abort();
  }, timeoutMs);
  try {
    for await (const chunk of untilAborted(request, late.signal)) {
      bytes += chunk.length;
      if (bytes > limit) throw tooLarge(limit);
      chunks.push(chunk);
    }
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(chunks);
}

/** The client went away or its chunks are none: its fault, and nothing to log, least of all the bytes that Node adds. */
function cutOff(): never {
  throw userError({ code: 'request.malformed', message: 'The request ended before its body did.' });
}

/** The chunks of a body, without destroying the request when reading stops: its answer still has to leave. */
async function* untilAborted(request: IncomingMessage, signal: AbortSignal): AsyncGenerator<Buffer> {
  const chunks = request.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
  const aborted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      reject(timedOut());
    });
  });
  aborted.catch(() => undefined);
  for (;;) {
    const next = await Promise.race([chunks.next().catch(cutOff), aborted]);
    if (next.done === true) return;
    yield next.value;
  }
}

/**
 * The body of an upload as it arrives: at most `uploadLimitBytes`, and never longer than the request timeout without a
 * byte.
 */
export async function* readUpload(request: IncomingMessage, limits: BodyLimits): AsyncGenerator<Uint8Array> {
  const { uploadLimitBytes: limit } = limits;
  if (!/^application\/octet-stream(\s*;|$)/i.test(request.headers['content-type'] ?? '')) {
    throw userError({
      code: 'request.not_binary',
      message: 'The request body is not a file.',
      fix: 'Send the bytes with Content-Type: application/octet-stream.',
    });
  }
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge(limit);
  const late = new AbortController();
  const timer = setTimeout(() => {
    late.abort();
  }, limits.requestTimeoutSecs * 1000);
  let bytes = 0;
  try {
    for await (const chunk of untilAborted(request, late.signal)) {
      timer.refresh();
      bytes += chunk.length;
      if (bytes > limit) throw tooLarge(limit);
      yield chunk;
    }
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Reads a JSON body within the limits.
 * @returns undefined when there is none.
 */
export async function readJsonBody(request: IncomingMessage, limits: BodyLimits): Promise<unknown> {
  if (Number(request.headers['content-length'] ?? 0) > limits.bodyLimitBytes) throw tooLarge(limits.bodyLimitBytes);
  const bytes = await readAll(request, limits.bodyLimitBytes, limits.requestTimeoutSecs * 1000);
  if (bytes.length === 0) return undefined;
  if (!/^application\/json(\s*;|$)/i.test(request.headers['content-type'] ?? '')) {
    throw userError({
      code: 'request.not_json',
      message: 'The request body is not JSON.',
      fix: 'Send Content-Type: application/json.',
    });
  }
  const malformed = (message: string): Error => userError({ code: 'request.malformed', message });
  const text = bytes.toString('utf8');
  if (nestsDeeper(text, limits.bodyDepth)) throw malformed(`The JSON nests deeper than ${limits.bodyDepth} levels.`);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw malformed('The request body is not valid JSON.');
  }
}
