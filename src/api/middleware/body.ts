import type { IncomingMessage } from 'node:http';
import { userError } from '../errors.js';

export interface BodyLimits {
  bodyLimitBytes: number;
  bodyDepth: number;
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

async function readAll(request: IncomingMessage, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > limit) throw tooLarge(limit);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * Reads a JSON body within the limits.
 * @returns undefined when there is none.
 */
export async function readJsonBody(request: IncomingMessage, limits: BodyLimits): Promise<unknown> {
  if (Number(request.headers['content-length'] ?? 0) > limits.bodyLimitBytes) throw tooLarge(limits.bodyLimitBytes);
  const bytes = await readAll(request, limits.bodyLimitBytes);
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
