import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import {
  fleetSettingsSchema,
  signedSettingsSchema,
  type FleetSettings,
  type SignedSettings,
} from '../contract/fleet.js';
import type { Trust } from './trust.js';

/** First line of what a server signs. */
export const SETTINGS_PURPOSE = 'portcullis settings 1';
/** A packed text that unpacks to more than this is refused. */
const MAX_BYTES = 16 * 1024 * 1024;
const AHEAD_MS = 86_400_000;
export const NOT_NEWER = 'it is not newer';

/** Envelope for the bus: thousands of entries fit into one message. */
export function packSettings(signed: SignedSettings): string {
  return gzipSync(JSON.stringify(signed)).toString('base64');
}

/** @returns undefined when it is not what {@link packSettings} makes. */
export function unpackSettings(packed: string): SignedSettings | undefined {
  try {
    const text = gunzipSync(Buffer.from(packed, 'base64'), { maxOutputLength: MAX_BYTES }).toString();
    return signedSettingsSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** @returns what a server of the fleet has signed, or why it does not count. */
export function checkSettings(signed: SignedSettings, trust: Trust): FleetSettings | string {
  const { signer, text, signature } = signed;
  if (trust.member(signer)?.role !== 'server') return `"${signer}" is not a server of the fleet`;
  if (!trust.isFrom(signer, SETTINGS_PURPOSE, text, signature)) return `its signature is not that of ${signer}`;
  const settings = parse(text);
  if (!settings) return 'it is not in the contract';
  // A version from the far future could never be replaced.
  return settings.version < Date.now() + AHEAD_MS ? settings : 'its version lies in the future';
}

/** The newest settings a member has, kept in a file so that a box that starts while it is cut off has them. */
export interface SettingsBook {
  current(): { signed: SignedSettings; settings: FleetSettings } | undefined;
  /** Takes over newer ones. @returns why not, or undefined. */
  offer(signed: SignedSettings): string | undefined;
}

export function openSettingsBook(path: string, trust: Trust): SettingsBook {
  let current: ReturnType<SettingsBook['current']>;

  function take(signed: SignedSettings): string | undefined {
    const settings = checkSettings(signed, trust);
    if (typeof settings === 'string') return settings;
    if (current && settings.version <= current.settings.version) return NOT_NEWER;
    current = { signed, settings };
    return undefined;
  }

  try {
    const signed = signedSettingsSchema.safeParse(JSON.parse(readFileSync(path, 'utf8'))).data;
    if (signed) take(signed);
  } catch {
    // None yet, or damaged: the bus has them.
  }
  return {
    current: () => current,
    offer(signed) {
      const refused = take(signed);
      if (refused !== undefined) return refused;
      mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
      writeFileSync(`${path}.new`, JSON.stringify(signed), { mode: 0o640 });
      renameSync(`${path}.new`, path);
      return undefined;
    },
  };
}

function parse(text: string): FleetSettings | undefined {
  try {
    return fleetSettingsSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
