import type { FeedOptions } from '../options.js';
import type { FeedHttp } from './http.js';

/** What a feed's reader found; the value is not checked yet. */
export interface FoundIndicator {
  text: string;
  /** Line, object or attribute, for messages. */
  where: string;
  confidence?: number;
  label?: string;
  /** Epoch milliseconds; 0 = no limit. */
  validFromMs?: number;
  validUntilMs?: number;
  /** Set when the feed's object cannot be used at all. */
  problem?: string;
}

/** What a reader may use. */
export interface FeedContext {
  feed: FeedOptions;
  /** Fetches a URL, or reads a path. @throws FeedError */
  get: FeedHttp['get'];
}

/** A feed that cannot be read as a whole; the message is for people. */
export class FeedError extends Error {}

/** Parses JSON of a feed. @throws FeedError */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new FeedError(`${what} is not JSON: ${(error as Error).message}`);
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function asList(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

export function asText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Epoch milliseconds of a timestamp text; undefined when it is none. */
export function asTime(value: unknown): number | undefined {
  const ms = typeof value === 'string' ? Date.parse(value) : NaN;
  return Number.isFinite(ms) ? ms : undefined;
}
