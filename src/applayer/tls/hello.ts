import { copy } from '../http/bytes.js';
import { createHash } from 'node:crypto';

export interface Hello {
  /** Version of the handshake, from `supported_versions` when it is there. */
  version: number;
  legacyVersion: number;
  random: Uint8Array;
  ciphers: number[];
  /** Types, in their order. */
  extensions: number[];
  curves: number[];
  pointFormats: number[];
  signatures: number[];
  sni: Uint8Array | undefined;
  alpn: Uint8Array[];
}

class Reader {
  at = 0;
  /** More was asked for than there is. */
  isShort = false;
  readonly d: Uint8Array;

  constructor(d: Uint8Array) {
    this.d = d;
  }

  get left(): number {
    return this.d.length - this.at;
  }

  u8(): number {
    return this.at < this.d.length ? this.d[this.at++]! : 0;
  }

  u16(): number {
    return this.u8() * 256 + this.u8();
  }

  bytes(n: number): Uint8Array {
    if (this.at + n > this.d.length) this.isShort = true;
    const end = Math.min(this.d.length, this.at + n);
    const out = this.d.subarray(this.at, end);
    this.at = end;
    return out;
  }

  numbers(n: number): number[] {
    const inner = new Reader(this.bytes(n));
    const out: number[] = [];
    while (inner.left >= 2) out.push(inner.u16());
    return out;
  }
}

/** Values that clients mix in to keep servers tolerant (RFC 8701); left out of fingerprints. */
export function isGrease(n: number): boolean {
  return (n & 0x0f0f) === 0x0a0a && n >> 8 === (n & 255);
}

/** First byte of the versions of drafts of TLS 1.3. */
const DRAFT = 0x7f;
/** Up to this draft a ServerHello had neither a session nor a compression method. */
const LAST_BARE_DRAFT = 21;

/** Body of a ClientHello or ServerHello (RFC 8446 4.1). @param note gets the names of anomalies. */
export function parseHello(body: Uint8Array, isClient: boolean, note?: (event: string) => void): Hello | undefined {
  if (body.length < 38) {
    note?.('handshake_invalid_length');
    return undefined;
  }
  const r = new Reader(body);
  const legacyVersion = r.u16();
  const random = copy(r.bytes(32));
  const isBare = !isClient && legacyVersion >> 8 === DRAFT && (legacyVersion & 255) <= LAST_BARE_DRAFT;
  if (!isBare) r.bytes(r.u8());
  const hello: Hello = {
    version: legacyVersion,
    legacyVersion,
    random,
    ciphers: [],
    extensions: [],
    curves: [],
    pointFormats: [],
    signatures: [],
    sni: undefined,
    alpn: [],
  };
  if (isClient) {
    hello.ciphers = r.numbers(r.u16());
    r.bytes(r.u8());
  } else {
    hello.ciphers = [r.u16()];
    if (!isBare) r.u8();
  }
  const extensions = new Reader(r.bytes(r.u16()));
  while (extensions.left >= 4) {
    const type = extensions.u16();
    if (type === 0 && isClient && hello.extensions.includes(0)) note?.('multiple_sni_extensions');
    hello.extensions.push(type);
    const extension = new Reader(extensions.bytes(extensions.u16()));
    readExtension(hello, type, extension, isClient);
    if (type === 0 && isClient && extension.d.length > 0) {
      if (extension.d[2] !== 0) note?.('invalid_sni_type');
      else if (extension.isShort) note?.('invalid_sni_length');
    }
  }
  if (r.isShort || extensions.isShort) note?.('handshake_invalid_length');
  return hello;
}

function readExtension(hello: Hello, type: number, r: Reader, isClient: boolean): void {
  switch (type) {
    case 0:
      if (!isClient) return;
      r.u16();
      if (r.u8() === 0) hello.sni ??= copy(r.bytes(r.u16()));
      return;
    case 10:
      hello.curves = r.numbers(r.u16());
      return;
    case 11:
      hello.pointFormats = [...r.bytes(r.u8())];
      return;
    case 13:
      hello.signatures = r.numbers(r.u16());
      return;
    case 16:
      for (const list = new Reader(r.bytes(r.u16())); list.left > 0;) hello.alpn.push(copy(list.bytes(list.u8())));
      return;
    case 43: {
      const versions = isClient ? r.numbers(r.u8()) : [r.u16()];
      const known = versions.filter((v) => !isGrease(v));
      if (known.length > 0) hello.version = Math.max(...known);
      return;
    }
  }
}

export function md5(text: string): string {
  return createHash('md5').update(text, 'latin1').digest('hex');
}

const plain = (list: readonly number[]): string => list.filter((n) => !isGrease(n)).join('-');

/** JA3 of a client (https://github.com/salesforce/ja3). */
export function ja3(h: Hello): string {
  return [h.legacyVersion, plain(h.ciphers), plain(h.extensions), plain(h.curves), h.pointFormats.join('-')].join(',');
}

/** JA3S of a server. */
export function ja3s(h: Hello): string {
  return [h.legacyVersion, h.ciphers.join('-'), h.extensions.join('-')].join(',');
}

const JA4_VERSIONS: Readonly<Record<number, string>> = {
  0x0304: '13',
  0x0303: '12',
  0x0302: '11',
  0x0301: '10',
  0x0300: 's3',
  2: 's2',
};

/** JA4 of a client over TCP or QUIC (https://github.com/FoxIO-LLC/ja4). */
export function ja4(h: Hello, transport: 't' | 'q'): string {
  const hex = (n: number): string => n.toString(16).padStart(4, '0');
  const short = (text: string): string =>
    text === '' ? '000000000000' : createHash('sha256').update(text).digest('hex').slice(0, 12);
  const count = (n: number): string => String(Math.min(n, 99)).padStart(2, '0');
  const ciphers = h.ciphers.filter((n) => !isGrease(n));
  const extensions = h.extensions.filter((n) => !isGrease(n));
  const first = h.alpn[0];
  const isText = (c: number): boolean => /[0-9A-Za-z]/.test(String.fromCharCode(c));
  let alpn = '00';
  if (first !== undefined && first.length > 0) {
    const ends = [first[0]!, first.at(-1)!];
    alpn = ends.every(isText)
      ? String.fromCharCode(...ends)
      : Buffer.from(first)
          .toString('hex')
          .replace(/^(.).*(.)$/, '$1$2');
  }
  const head = `${transport}${JA4_VERSIONS[h.version] ?? '00'}${h.extensions.includes(0) ? 'd' : 'i'}`;
  const kinds = extensions
    .filter((n) => n !== 0 && n !== 16)
    .map(hex)
    .sort()
    .join(',');
  const signatures = h.signatures
    .filter((n) => !isGrease(n))
    .map(hex)
    .join(',');
  const tail = kinds === '' ? '' : signatures === '' ? kinds : `${kinds}_${signatures}`;
  return `${head}${count(ciphers.length)}${count(extensions.length)}${alpn}_${short(ciphers.map(hex).sort().join(','))}_${short(tail)}`;
}
