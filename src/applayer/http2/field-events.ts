import { isBadRange } from '../http/content-range.js';
import { latin1 } from '../http/bytes.js';

/** What is wrong with the fields of a message: an authority with a user, or that is not the host; a range that is none. */
export function fieldEvents(get: (name: string) => Uint8Array | undefined): string[] {
  const text = (name: string): string | undefined => {
    const value = get(name);
    return value && latin1(value);
  };
  const events: string[] = [];
  const authority = text(':authority');
  const host = text('host');
  if (authority?.includes('@') === true) events.push('userinfo_in_uri');
  if (authority !== undefined && host !== undefined && authority.toLowerCase() !== host.toLowerCase()) {
    events.push('authority_host_mismatch');
  }
  const range = text('content-range');
  if (range !== undefined && isBadRange(range)) events.push('invalid_range');
  return events;
}
