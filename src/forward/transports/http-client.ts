import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { errorCode, errorMessage } from '../../util/errors.js';
import type { DestinationSettings } from '../settings.js';
import type { Recorder } from './recorder.js';
import { createTlsFiles, failureKind } from './tls-options.js';
import { DeliveryError } from './transport.js';

const gzipAsync = promisify(gzip);
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
const ANSWER_TIMEOUT_MS = 30_000;
const COMPRESS_FROM_BYTES = 1024;

export interface HttpAnswer {
  status: number;
  body: string;
  /** What the receiver asked us to wait; 0 when it did not say. */
  retryAfterMs: number;
}

/** POST over a kept connection with time limits; a renewed certificate starts a new one. */
export class HttpClient {
  private readonly recorder: Recorder;
  private readonly token: string;
  private readonly tlsFiles: ReturnType<typeof createTlsFiles> | undefined;
  private agent: HttpAgent | undefined;
  private stamp = '';
  private abort = new AbortController();

  constructor(settings: DestinationSettings, recorder: Recorder) {
    this.recorder = recorder;
    this.token = settings.token;
    this.tlsFiles = settings.tls && createTlsFiles(settings.tls, new URL(settings.url).hostname);
  }

  /** Ends requests in flight and forgets connections. */
  reset(): void {
    this.abort.abort();
    this.abort = new AbortController();
    this.agent?.destroy();
    this.agent = undefined;
  }

  get signal(): AbortSignal {
    return this.abort.signal;
  }

  async post(url: URL, body: string, headers: Record<string, string>, compress: boolean): Promise<HttpAnswer> {
    const zip = compress && body.length >= COMPRESS_FROM_BYTES;
    const bytes = zip ? await gzipAsync(body) : Buffer.from(body);
    const all = {
      ...headers,
      'content-length': String(bytes.length),
      'user-agent': 'portcullis',
      ...(zip ? { 'content-encoding': 'gzip' } : {}),
    };
    this.recorder.recordSent(`POST ${url.pathname}${url.search} HTTP/1.1\n${headerText(all)}\n${body}\n`);
    const answer = withoutSecrets(await this.exchange(url, bytes, all), [
      this.token,
      headers['authorization']?.replace(/^\S+ /, ''),
    ]);
    this.recorder.recordAnswer(`HTTP ${answer.status}\n${answer.body}\n`);
    return answer;
  }

  private exchange(url: URL, bytes: Buffer, headers: Record<string, string>): Promise<HttpAnswer> {
    const { agent, options } = this.connection(url);
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    return new Promise((resolve, reject) => {
      const request = send(url, { method: 'POST', agent, headers, signal: this.abort.signal, ...options });
      const timer = setTimeout(
        () => request.destroy(new Error(`no answer within ${ANSWER_TIMEOUT_MS} ms`)),
        ANSWER_TIMEOUT_MS,
      );
      const fail = (error: unknown): void => {
        clearTimeout(timer);
        const code = errorCode(error);
        const text = errorMessage(error);
        reject(new DeliveryError(failureKind(error), code === '' || text.includes(code) ? text : `${code}: ${text}`));
      };
      request.on('error', fail);
      request.on('response', (response) => {
        readBody(response).then((body) => {
          clearTimeout(timer);
          resolve({
            status: response.statusCode ?? 0,
            body,
            retryAfterMs: retryAfter(response.headers['retry-after']),
          });
        }, fail);
      });
      request.end(bytes);
    });
  }

  private connection(url: URL): { agent: HttpAgent; options: object } {
    const base = { keepAlive: true, maxSockets: 1, timeout: ANSWER_TIMEOUT_MS };
    if (url.protocol !== 'https:' || !this.tlsFiles) {
      this.agent ??= new HttpAgent(base);
      return { agent: this.agent, options: {} };
    }
    const { options, stamp } = this.tlsFiles();
    if (stamp !== this.stamp) {
      this.agent?.destroy();
      this.agent = undefined;
      this.stamp = stamp;
    }
    this.agent ??= new HttpsAgent({ ...base, ...options });
    return { agent: this.agent, options };
  }
}

/** Header lines for `siem test`; secrets are not shown. */
function headerText(headers: Record<string, string>): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${name === 'authorization' ? value.replace(/ .*/, ' ***') : value}\n`)
    .join('');
}

/** Shorter ones are no secrets, and would be found in words of the answer. */
const SECRET_FROM_CHARS = 5;

/** What an answer says ends up in logs and in the console; some receivers and proxies say back what they were sent. */
function withoutSecrets(answer: HttpAnswer, secrets: readonly (string | undefined)[]): HttpAnswer {
  let { body } = answer;
  for (const secret of secrets) {
    if (secret !== undefined && secret.length >= SECRET_FROM_CHARS) body = body.replaceAll(secret, '***');
  }
  return { ...answer, body };
}

async function readBody(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    length += part.length;
    if (length <= MAX_ANSWER_BYTES) parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** Retry-After in seconds or as a date (RFC 9110 10.2.3), at most ten minutes. */
export function retryAfter(header: string | undefined, nowMs: number = Date.now()): number {
  if (header === undefined) return 0;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - nowMs;
  return Number.isFinite(ms) ? Math.min(600_000, Math.max(0, ms)) : 0;
}
