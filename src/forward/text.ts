/** Terminal escape sequences: CSI, OSC (ended by BEL or ST) and two-character ones (ECMA-48 5.3, 5.4, 8.3.89). */
const ESCAPES = /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[ -/]*[0-~]/g;
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u0084\u0086-\u009f]/g;
const LONE_SURROGATES = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const DIRTY = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]/;

/**
 * Text without terminal escapes and control characters; lone surrogates become U+FFFD, as they would on the wire.
 * Tabs and line breaks stay: each format decides how to carry them.
 */
export function cleanText(text: string): string {
  if (!DIRTY.test(text)) return text;
  return text
    .replace(ESCAPES, '')
    .replace(CONTROLS, '')
    .replace(/[\u0085\u2028\u2029]/g, '\n')
    .replace(LONE_SURROGATES, '\ufffd');
}

/** {@link cleanText} on one line: every run of line breaks and tabs is one space. */
export function oneLine(text: string): string {
  return cleanText(text)
    .replace(/[\t\r\n]+/g, ' ')
    .trim();
}

/** At most `max` UTF-16 units, never cut between the halves of a surrogate pair. */
export function cutText(text: string, max: number): string {
  if (text.length <= max) return text;
  const last = text.charCodeAt(max - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? max - 1 : max);
}

/** Every string inside a JSON value, cleaned. */
export function cleanDeep<T>(value: T): T {
  if (typeof value === 'string') return cleanText(value) as T;
  if (Array.isArray(value)) return value.map((item) => cleanDeep(item as unknown)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [cleanText(key), cleanDeep(item as unknown)]),
  ) as T;
}

/** True when the JSON text of a value may hold something that {@link cleanDeep} would change. */
export function jsonLooksDirty(json: string): boolean {
  const isAscii = Buffer.byteLength(json) === json.length;
  if (isAscii && !json.includes('\\') && !json.includes('\u007f')) return false;
  return JSON_DIRTY.test(json);
}
const JSON_DIRTY = /\\[ubf]|[\u007f-\u009f\u2028\u2029]/;
