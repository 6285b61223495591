import { createHash } from 'node:crypto';
import { derChildren as children, derElement as element, type DerElement as Element } from '../der.js';

export interface CertificateFields {
  subject: string;
  issuer: string;
  /** Upper-case hex with colons. */
  serial: string;
  /** SHA-1, lower-case hex with colons. */
  fingerprint: string;
  alternativeNames: string[];
  /** Seconds since 1970 from which and up to which it is valid; undefined when the dates are not sound. */
  notBefore: number | undefined;
  notAfter: number | undefined;
}

/** Short names of attributes in a distinguished name, by the DER of their object identifiers. */
const ATTRIBUTES: Readonly<Record<string, string>> = {
  '550403': 'CN',
  '550405': 'serialNumber',
  '550406': 'C',
  '550407': 'L',
  '550408': 'ST',
  '550409': 'street',
  '55040a': 'O',
  '55040b': 'OU',
  '2a864886f70d010901': 'emailAddress',
  '0992268993f22c640119': 'DC',
};

function distinguishedName(d: Uint8Array, name: Element): string {
  const parts: string[] = [];
  for (const set of children(d, name)) {
    for (const pair of children(d, set)) {
      const [type, value] = children(d, pair);
      if (type === undefined || value === undefined) continue;
      const id = Buffer.from(d.subarray(type.begin, type.end)).toString('hex');
      const text = Buffer.from(d.subarray(value.begin, value.end)).toString(value.tag === 12 ? 'utf8' : 'latin1');
      parts.push(`${ATTRIBUTES[id] ?? id}=${text}`);
    }
  }
  return parts.join(', ');
}

const SUBJECT_ALT_NAME = '551d11';

function alternativeNames(d: Uint8Array, extensions: Element): string[] {
  const list = children(d, extensions)[0];
  if (list === undefined) return [];
  for (const extension of children(d, list)) {
    const parts = children(d, extension);
    const id = parts[0];
    const value = parts.at(-1);
    if (id === undefined || value === undefined) continue;
    if (Buffer.from(d.subarray(id.begin, id.end)).toString('hex') !== SUBJECT_ALT_NAME) continue;
    const names = element(d, value.begin, value.end);
    if (names === undefined) return [];
    return children(d, names)
      .filter((n) => n.tag === 0x82)
      .map((n) => Buffer.from(d.subarray(n.begin, n.end)).toString('latin1'));
  }
  return [];
}

/** UTCTime or GeneralizedTime (RFC 5280 4.1.2.5), in seconds since 1970. */
function timeOf(d: Uint8Array, e: Element | undefined): number | undefined {
  if (e === undefined || (e.tag !== 0x17 && e.tag !== 0x18)) return undefined;
  const text = Buffer.from(d.subarray(e.begin, e.end)).toString('latin1');
  const m = (
    e.tag === 0x17 ? /^(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})?Z$/ : /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})?Z$/
  ).exec(text);
  if (m === null) return undefined;
  const [year, month, day, hour, minute, second] = m.slice(1).map((part) => Number(part ?? 0)) as [number, number, number, number, number, number]; // prettier-ignore
  const full = e.tag === 0x18 ? year : year < 50 ? 2000 + year : 1900 + year;
  return Date.UTC(full, month - 1, day, hour, minute, second) / 1000;
}

const colons = (hex: string): string => hex.replace(/..(?=.)/g, '$&:');

/** What rules ask of an X.509 certificate (RFC 5280 4.1), or undefined when it is none. */
export function parseCertificate(d: Uint8Array): CertificateFields | undefined {
  const outer = element(d, 0, d.length);
  const tbs = outer && children(d, outer)[0];
  if (tbs === undefined) return undefined;
  let fields = children(d, tbs);
  if (fields[0]?.tag === 0xa0) fields = fields.slice(1);
  const [serial, , issuer, validity, subject] = fields;
  if (serial === undefined || issuer === undefined || subject === undefined) return undefined;
  const [notBefore, notAfter] = validity === undefined ? [] : children(d, validity);
  const extensions = fields.find((f) => f.tag === 0xa3);
  return {
    subject: distinguishedName(d, subject),
    issuer: distinguishedName(d, issuer),
    serial: colons(Buffer.from(d.subarray(serial.begin, serial.end)).toString('hex').toUpperCase()),
    fingerprint: colons(createHash('sha1').update(d).digest('hex')),
    notBefore: timeOf(d, notBefore),
    notAfter: timeOf(d, notAfter),
    alternativeNames: extensions ? alternativeNames(d, extensions) : [],
  };
}
