/** Bytes of TLS as text of one character a byte. */
const u16 = (n: number): string => String.fromCharCode(n >> 8, n & 255);
const u24 = (n: number): string => String.fromCharCode(n >> 16) + u16(n & 65_535);

export const record = (type: number, body: string, version = '\x03\x01'): string =>
  String.fromCharCode(type) + version + u16(body.length) + body;
export const handshake = (type: number, body: string): string => String.fromCharCode(type) + u24(body.length) + body;
const extension = (type: number, body: string): string => u16(type) + u16(body.length) + body;
export const serverName = (name: string, type = 0, length = name.length): string =>
  extension(0, u16(name.length + 3) + String.fromCharCode(type) + u16(length) + name);
const withExtensions = (list: string): string => (list === '' ? '' : u16(list.length) + list);
export const clientHello = (extensions = ''): string =>
  record(22, handshake(1, `\x03\x03${'R'.repeat(32)}\0\0\x02\0\x2f\x01\0${withExtensions(extensions)}`));
export const serverHello = (): string => record(22, handshake(2, `\x03\x03${'R'.repeat(32)}\0\0\x2f\0`));
export const certificates = (der: string): string =>
  record(22, handshake(11, u24(der.length + 3) + u24(der.length) + der));

export const der = (tag: number, body: string): string => {
  const { length } = body;
  const size =
    length < 128
      ? String.fromCharCode(length)
      : length < 256
        ? `\x81${String.fromCharCode(length)}`
        : `\x82${u16(length)}`;
  return String.fromCharCode(tag) + size + body;
};
const NAME = der(0x30, der(0x31, der(0x30, der(6, '\x55\x04\x03') + der(0x13, 'x'))));
const ALGORITHM = der(0x30, der(6, '\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b') + der(5, ''));
const KEY = der(0x30, ALGORITHM + der(3, '\0abc'));

export interface CertificateParts {
  version?: string;
  serial?: string;
  algorithm?: string;
  issuer?: string;
  dates?: string;
  subject?: string;
  key?: string;
  extensions?: string;
  /** What follows the signed part. */
  end?: string;
}

/** A certificate that is sound but for the parts given. */
export function certificateOf(parts: CertificateParts = {}): string {
  const dates = der(0x17, '200101000000Z') + der(0x17, '300101000000Z');
  const signed =
    (parts.version ?? der(0xa0, der(2, '\x02'))) +
    (parts.serial ?? der(2, '\x01')) +
    (parts.algorithm ?? ALGORITHM) +
    (parts.issuer ?? NAME) +
    (parts.dates ?? der(0x30, dates)) +
    (parts.subject ?? NAME) +
    (parts.key ?? KEY) +
    (parts.extensions ?? '');
  return der(0x30, der(0x30, signed) + (parts.end ?? ALGORITHM + der(3, '\0abc')));
}
