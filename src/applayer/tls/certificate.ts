import { createHash } from 'node:crypto';

export interface CertificateFields {
  subject: string;
  issuer: string;
  /** Upper-case hex with colons. */
  serial: string;
  /** SHA-1, lower-case hex with colons. */
  fingerprint: string;
  alternativeNames: string[];
}

interface Element {
  tag: number;
  begin: number;
  end: number;
}

/** One element of DER (X.690) at `at`, or undefined when it does not fit. */
function element(d: Uint8Array, at: number, limit: number): Element | undefined {
  if (at + 2 > limit) return undefined;
  const tag = d[at]!;
  let length = d[at + 1]!;
  let begin = at + 2;
  if (length & 0x80) {
    const n = length & 0x7f;
    if (n === 0 || n > 3 || begin + n > limit) return undefined;
    length = 0;
    for (let i = 0; i < n; i++) length = length * 256 + d[begin + i]!;
    begin += n;
  }
  return begin + length > limit ? undefined : { tag, begin, end: begin + length };
}

function children(d: Uint8Array, parent: Element): Element[] {
  const out: Element[] = [];
  for (let at = parent.begin; at < parent.end && out.length < 256;) {
    const e = element(d, at, parent.end);
    if (e === undefined) break;
    out.push(e);
    at = e.end;
  }
  return out;
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

const colons = (hex: string): string => hex.replace(/..(?=.)/g, '$&:');

/** What rules ask of an X.509 certificate (RFC 5280 4.1), or undefined when it is none. */
export function parseCertificate(d: Uint8Array): CertificateFields | undefined {
  const outer = element(d, 0, d.length);
  const tbs = outer && children(d, outer)[0];
  if (tbs === undefined) return undefined;
  let fields = children(d, tbs);
  if (fields[0]?.tag === 0xa0) fields = fields.slice(1);
  const [serial, , issuer, , subject] = fields;
  if (serial === undefined || issuer === undefined || subject === undefined) return undefined;
  const extensions = fields.find((f) => f.tag === 0xa3);
  return {
    subject: distinguishedName(d, subject),
    issuer: distinguishedName(d, issuer),
    serial: colons(Buffer.from(d.subarray(serial.begin, serial.end)).toString('hex').toUpperCase()),
    fingerprint: colons(createHash('sha1').update(d).digest('hex')),
    alternativeNames: extensions ? alternativeNames(d, extensions) : [],
  };
}
