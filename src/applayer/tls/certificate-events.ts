import { derChildren, derElement, type DerElement } from '../der.js';

const INTEGER = 2;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
const SEQUENCE = 0x30;
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;

const isDate = (d: Uint8Array, e: DerElement): boolean => {
  if (e.tag !== UTC_TIME && e.tag !== GENERALIZED_TIME) return false;
  const digits = e.tag === UTC_TIME ? 10 : 12;
  const text = Buffer.from(d.buffer, d.byteOffset + e.begin, e.end - e.begin).toString('latin1');
  return new RegExp(`^\\d{${digits}}(\\d\\d)?(Z|[+-]\\d{4})?$`).test(text);
};

/**
 * What is wrong with the form of an X.509 certificate (RFC 5280 4.1), as the first part that is tells it: a name of
 * `app-layer-event`, or undefined.
 */
export function certificateEvent(d: Uint8Array): string | undefined {
  const outer = derElement(d, 0, d.length);
  if (outer?.tag !== SEQUENCE) return 'invalid_certificate';
  const [tbs, algorithm, signature] = derChildren(d, outer);
  if (tbs?.tag !== SEQUENCE) return 'invalid_certificate';
  const inner = tbsEvent(d, derChildren(d, tbs));
  if (inner !== undefined) return inner;
  return algorithm === undefined || signature === undefined ? 'certificate_invalid_length' : undefined;
}

function tbsEvent(d: Uint8Array, all: readonly DerElement[]): string | undefined {
  let parts = all;
  if (parts[0]?.tag === VERSION) {
    if (derElement(d, parts[0].begin, parts[0].end)?.tag !== INTEGER) return 'certificate_invalid_version';
    parts = parts.slice(1);
  }
  const [serial, algorithm, issuer, validity, subject, key, ...rest] = parts;
  if (serial?.tag !== INTEGER) return 'certificate_invalid_serial';
  for (const part of [algorithm, issuer, validity]) if (part?.tag !== SEQUENCE) return 'certificate_invalid_der';
  const dates = derChildren(d, validity!);
  if (dates.length < 2 || !dates.slice(0, 2).every((date) => isDate(d, date))) return 'certificate_invalid_date';
  for (const part of [subject, key]) if (part?.tag !== SEQUENCE) return 'certificate_invalid_der';
  const extensions = rest.find((part) => part.tag === EXTENSIONS);
  if (extensions === undefined) return undefined;
  const list = derElement(d, extensions.begin, extensions.end);
  return list?.tag === SEQUENCE ? undefined : 'certificate_invalid_der';
}
