import { readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { FeedOptions } from '../options.js';
import { FeedError } from './reader.js';

const TIMEOUT_MS = 60_000;

export interface Answer {
  text: string;
  headers: Headers;
}

/** The way to one feed: credentials, limits, and what the source said about changes. */
export interface FeedHttp {
  /**
   * @param accept media type that is asked for.
   * @returns undefined when the source says that nothing changed since the validators of the last fetch.
   * @throws FeedError with a sentence for people, without credentials.
   */
  get(url: string, accept?: string): Promise<Answer | undefined>;
  /** Validators (RFC 9110 section 8.8) of the first answer, for the next fetch. */
  validators(): Validators;
}

export interface Validators {
  etag?: string;
  lastModified?: string;
}

/** The address without user name, password and query, which may hold keys. */
export function publicUrl(url: string): string {
  return url.replace(/^(\w+:\/\/)[^/@]*@/, '$1').replace(/\?.*$/, '');
}

export function createFeedHttp(feed: FeedOptions, last: Validators, signal: AbortSignal): FeedHttp {
  let validators: Validators | undefined;
  const limit = feed.maxMiB * 1024 * 1024;

  const isOwnServer = (url: string): boolean => new URL(url).origin === new URL(feed.url).origin;

  async function headersFor(url: string, accept: string): Promise<Record<string, string>> {
    const headers: Record<string, string> = { accept, 'user-agent': 'portcullis' };
    // An answer may point to another server, which must not learn the secret.
    if (feed.secretFile !== undefined && isOwnServer(url)) {
      const secret = await readSecret(feed.secretFile);
      if (feed.username !== undefined)
        headers['authorization'] = `Basic ${Buffer.from(`${feed.username}:${secret}`).toString('base64')}`;
      else if (feed.tokenHeader !== undefined) headers[feed.tokenHeader.toLowerCase()] = secret;
      else headers['authorization'] = `Bearer ${secret}`;
    }
    // Only the first request of a refresh can be answered with "nothing new".
    if (!validators && last.etag !== undefined) headers['if-none-match'] = last.etag;
    if (!validators && last.lastModified !== undefined) headers['if-modified-since'] = last.lastModified;
    return headers;
  }

  async function getHttp(url: string, accept: string): Promise<Answer | undefined> {
    let response: Response;
    try {
      response = await fetch(url, {
        headers: await headersFor(url, accept),
        // A redirect would carry a header of one's own to wherever it leads.
        redirect: feed.tokenHeader === undefined ? 'follow' : 'error',
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      });
    } catch (error) {
      if (error instanceof FeedError) throw error;
      const { message, cause } = error as Error;
      throw new FeedError(`${publicUrl(url)} does not answer: ${cause instanceof Error ? cause.message : message}`);
    }
    if (response.status === 304 && !validators) {
      validators = last;
      await response.body?.cancel();
      return undefined;
    }
    if (!response.ok) {
      await response.body?.cancel();
      const hint = [401, 403].includes(response.status) ? ' (check username, secret_file and token_header)' : '';
      throw new FeedError(`${publicUrl(url)} answers ${response.status} ${response.statusText}${hint}`);
    }
    validators ??= {
      ...optional('etag', response.headers.get('etag')),
      ...optional('lastModified', response.headers.get('last-modified')),
    };
    return { text: await readLimited(response, url, limit), headers: response.headers };
  }

  return {
    async get(url, accept = '*/*') {
      if (/^https?:/i.test(url)) return getHttp(url, accept);
      const path = url.startsWith('file:') ? fileURLToPath(url) : url;
      try {
        const { size, mtimeMs } = await stat(path);
        if (size > limit) throw new FeedError(`${path} is larger than ${feed.maxMiB} MiB (max_mib)`);
        const modified = String(mtimeMs);
        if (!validators && last.lastModified === modified) {
          validators = last;
          return undefined;
        }
        validators ??= { lastModified: modified };
        return { text: await readFile(path, 'utf8'), headers: new Headers() };
      } catch (error) {
        if (error instanceof FeedError) throw error;
        throw new FeedError(`${path} cannot be read: ${(error as Error).message}`);
      }
    },
    validators: () => validators ?? {},
  };
}

function optional<K extends keyof Validators>(key: K, value: string | null): Pick<Validators, K> | object {
  return value === null ? {} : { [key]: value };
}

async function readSecret(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    throw new FeedError(`secret_file cannot be read: ${(error as Error).message}`);
  }
}

async function readLimited(response: Response, url: string, limit: number): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      length += part.length;
      if (length > limit) throw new FeedError(`${publicUrl(url)} is larger than ${limit / 1024 / 1024} MiB (max_mib)`);
      parts.push(part);
    }
  } catch (error) {
    if (error instanceof FeedError) throw error;
    throw new FeedError(`${publicUrl(url)} was cut off after ${length} bytes`);
  }
  return Buffer.concat(parts).toString('utf8');
}
