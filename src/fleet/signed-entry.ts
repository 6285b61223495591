import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { z } from 'zod';
import { signedEntrySchema, type FleetMember, type SignedEntry } from '../contract/fleet.js';
import type { Trust } from './trust.js';

/** A packed text that unpacks to more than this is refused. */
const MAX_BYTES = 16 * 1024 * 1024;
const AHEAD_MS = 86_400_000;
export const NOT_NEWER = 'it is not newer';

/** Entries of a bucket that members sign: who may write which, and what they say. */
export interface EntryKind<T extends { version: number }> {
  /** First line of what is signed, so that nothing signed as one kind passes as another. */
  purpose: string;
  schema: z.ZodType<T>;
  /** @returns why this member may not write this key, or undefined. */
  refuse(signer: FleetMember, key: string): string | undefined;
}

/** For what people set at a server: only servers write it. */
export const byServers = ({ name, role }: FleetMember): string | undefined =>
  role === 'server' ? undefined : `"${name}" is not a server of the fleet`;

/** What is signed: the key too, or one entry could be put in the place of another. */
export const entryText = (key: string, text: string): string => `${key}\n${text}`;

/** Envelope for the bus: thousands of addresses fit into one message. */
export function packEntry(signed: SignedEntry): string {
  return gzipSync(JSON.stringify(signed)).toString('base64');
}

/** @returns undefined when it is not what {@link packEntry} makes. */
export function unpackEntry(packed: string): SignedEntry | undefined {
  try {
    const text = gunzipSync(Buffer.from(packed, 'base64'), { maxOutputLength: MAX_BYTES }).toString();
    return signedEntrySchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** @returns what a member has signed, or why it does not count. */
export function checkEntry<T extends { version: number }>(
  kind: EntryKind<T>,
  key: string,
  { signer, text, signature }: SignedEntry,
  trust: Trust,
): T | string {
  const member = trust.member(signer);
  if (!member) return `"${signer}" is not a member of the fleet`;
  const refused = kind.refuse(member, key);
  if (refused !== undefined) return refused;
  if (!trust.isFrom(signer, kind.purpose, entryText(key, text), signature)) {
    return `its signature is not that of ${signer}`;
  }
  const value = parse(kind.schema, text);
  if (!value) return 'it is not in the contract';
  // A version from the far future could never be replaced.
  return value.version < Date.now() + AHEAD_MS ? value : 'its version lies in the future';
}

/**
 * Of two entries of one key the one of higher rank counts: the later version, and of two members that wrote in the same
 * millisecond the one whose name comes later, so that all choose the same. Compare as text.
 */
export const rankOf = (version: number, signer: string): string => `${String(version).padStart(16, '0')} ${signer}`;

export interface HeldEntry<T> {
  signed: SignedEntry;
  value: T;
  rank: string;
}

/** The newest entry of each key, kept in a file so that a member that starts while it is cut off has them. */
export interface EntryBook<T> {
  get(key: string): HeldEntry<T> | undefined;
  entries(): IterableIterator<[string, HeldEntry<T>]>;
  /** Takes over a newer one. @returns why not, or undefined. */
  offer(key: string, signed: SignedEntry): string | undefined;
}

export function openEntryBook<T extends { version: number }>(
  path: string,
  kind: EntryKind<T>,
  trust: Trust,
  unwritten?: (error: unknown) => void,
): EntryBook<T> {
  const held = new Map<string, HeldEntry<T>>();

  function take(key: string, signed: SignedEntry): string | undefined {
    const value = checkEntry(kind, key, signed, trust);
    if (typeof value === 'string') return value;
    const rank = rankOf(value.version, signed.signer);
    if (rank <= (held.get(key)?.rank ?? '')) return NOT_NEWER;
    held.set(key, { signed, value, rank });
    return undefined;
  }

  for (const [key, signed] of Object.entries(readBook(path))) take(key, signed);
  return {
    get: (key) => held.get(key),
    entries: () => held.entries(),
    offer(key, signed) {
      const refused = take(key, signed);
      if (refused !== undefined) return refused;
      const all = Object.fromEntries([...held].map(([k, entry]) => [k, entry.signed]));
      try {
        mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
        writeFileSync(`${path}.new`, JSON.stringify(all), { mode: 0o640 });
        renameSync(`${path}.new`, path);
      } catch (error) {
        // It counts all the same; only a member that starts while it is cut off would not have it.
        unwritten?.(error);
      }
      return undefined;
    },
  };
}

/** Nothing when there is none yet or it is damaged: the bus has them. */
function readBook(path: string): Record<string, SignedEntry> {
  try {
    return z.record(z.string(), signedEntrySchema).parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return {};
  }
}

function parse<T>(schema: z.ZodType<T>, text: string): T | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
