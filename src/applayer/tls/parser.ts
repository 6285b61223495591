import { PROGRESS_DONE, type AppParser, type AppTransaction, type BufferValue } from '../../domain/app-layer.js';
import type { Direction } from '../../domain/flow.js';
import { NOTHING, bytesOf, concat, copy } from '../http/bytes.js';
import type { AppLayerOptions } from '../options.js';
import { parseCertificate, type CertificateFields } from './certificate.js';
import { ja3, ja3s, ja4, md5, parseHello, type Hello } from './hello.js';

const HANDSHAKE = 22;
const CHANGE_CIPHER = 20;
const CLIENT_HELLO = 1;
const SERVER_HELLO = 2;
const CERTIFICATE = 11;
const SERVER_HELLO_DONE = 14;
/** `ssl_state` by the type of a handshake message (RFC 5246 7.4). */
const STATES: Readonly<Record<number, number>> = { 1: 1, 2: 2, 16: 4, 12: 8 };
const MAX_RECORD = 16_384 + 2048;
const TLS13 = 0x0304;
const SSL2 = 0x0200;

/** The handshake of TLS 1.0 to 1.3, SSLv3, and SSLv2 hellos; what is encrypted is not read. */
export function createTlsParser(options: AppLayerOptions): AppParser {
  return new TlsParser(options);
}

class TlsTransaction implements AppTransaction {
  readonly proto = 'tls';
  readonly id = 0;
  readonly progress: [number, number] = [0, 0];
  readonly events: string[] = [];
  client: Hello | undefined;
  server: Hello | undefined;
  recordVersion = 0;
  /** What was seen of the handshake, as bits: hellos of client and server, key exchanges of client and server. */
  states = 0;
  readonly certificates: Uint8Array[] = [];
  private fields: CertificateFields | undefined;
  private readonly caches = [new Map<string, BufferValue>(), new Map<string, BufferValue>()] as const;

  note(event: string): void {
    if (!this.events.includes(event)) this.events.push(event);
  }

  buffer(name: string, direction: Direction): BufferValue | undefined {
    const cache = this.caches[direction];
    const known = cache.get(name);
    if (known !== undefined) return known;
    const value = this.make(name, direction);
    if (value !== undefined) cache.set(name, value);
    return value;
  }

  number(name: string, direction?: Direction): number | undefined {
    switch (name) {
      case 'tls.version':
        if (direction === 0 && this.client && this.recordVersion !== SSL2) return this.client.version;
        if (direction === 1) return this.server?.version;
        return this.server?.version ?? (this.client && this.recordVersion ? this.recordVersion : undefined);
      case 'tls.cert_chain_len':
        return this.certificates.length > 0 ? this.certificates.length : undefined;
      case 'tls.notbefore':
        return this.certificate()?.notBefore;
      case 'tls.notafter':
        return this.certificate()?.notAfter;
    }
    if (name.startsWith('ssl_state&')) return (this.states & Number(name.slice(10))) === 0 ? undefined : 1;
    return undefined;
  }

  private make(name: string, direction: Direction): BufferValue | undefined {
    const { client, server } = this;
    const text = (value: string | undefined): Uint8Array | undefined =>
      value === undefined ? undefined : bytesOf(value);
    if (name.startsWith('tls.cert_') || name === 'tls.subjectaltname') return this.fromCertificate(name);
    const own = direction === 0 ? client : server;
    switch (name) {
      case 'tls.sni':
        return client?.sni;
      case 'tls.alpn':
        return own !== undefined && own.alpn.length > 0 ? own.alpn : undefined;
      case 'tls.certs':
        return this.certificates.length > 0 ? this.certificates : undefined;
      case 'ja3.string':
        return text(client && ja3(client));
      case 'ja3.hash':
        return text(client && md5(ja3(client)));
      case 'ja3s.string':
        return text(server && ja3s(server));
      case 'ja3s.hash':
        return text(server && md5(ja3s(server)));
      case 'ja4.hash':
        return text(client && ja4(client, 't'));
      case 'tls.random':
        return own?.random;
      case 'tls.random_time':
        return own?.random.subarray(0, 4);
      case 'tls.random_bytes':
        return own?.random.subarray(4);
    }
    return undefined;
  }

  private certificate(): CertificateFields | undefined {
    const first = this.certificates[0];
    return first && (this.fields ??= parseCertificate(first));
  }

  private fromCertificate(name: string): BufferValue | undefined {
    const f = this.certificate();
    if (f === undefined) return undefined;
    switch (name) {
      case 'tls.cert_subject':
        return bytesOf(f.subject);
      case 'tls.cert_issuer':
        return bytesOf(f.issuer);
      case 'tls.cert_serial':
        return bytesOf(f.serial);
      case 'tls.cert_fingerprint':
        return bytesOf(f.fingerprint);
      case 'tls.subjectaltname':
        return f.alternativeNames.length > 0 ? f.alternativeNames.map(bytesOf) : undefined;
    }
    return undefined;
  }
}

class TlsParser implements AppParser {
  readonly proto = 'tls';
  readonly transactions: TlsTransaction[];
  private readonly tx = new TlsTransaction();
  private readonly records: [Uint8Array, Uint8Array] = [NOTHING, NOTHING];
  private readonly messages: [Uint8Array, Uint8Array] = [NOTHING, NOTHING];
  /** What follows in a direction is encrypted, or cannot be read any more. */
  private readonly isOver = [false, false];
  private readonly isHidden = [false, false];
  private readonly seen = [0, 0];
  private readonly maxMessage: number;

  constructor(options: AppLayerOptions) {
    this.maxMessage = options.tlsHandshakeKiB * 1024;
    this.transactions = [this.tx];
  }

  get isEncrypted(): boolean {
    return this.isHidden[0]! && this.isHidden[1]!;
  }

  onData(direction: Direction, data: Uint8Array, offset: number, length: number): void {
    if (this.isOver[direction]) return;
    let rest = concat(this.records[direction], data.subarray(offset, offset + length));
    while (rest.length >= 5 && !this.isOver[direction]) {
      const used = this.record(rest, direction);
      if (used === 0) break;
      rest = rest.subarray(used);
    }
    this.records[direction] = this.isOver[direction] || rest.length === 0 ? NOTHING : copy(rest);
  }

  onGap(direction: Direction): void {
    this.finish(direction);
  }

  onEnd(direction: Direction): void {
    this.finish(direction);
  }

  release(transaction: AppTransaction): void {
    const at = this.transactions.indexOf(transaction as TlsTransaction);
    if (at >= 0) this.transactions.splice(at, 1);
  }

  private hide(direction: Direction): void {
    this.isHidden[direction] = true;
    this.finish(direction);
  }

  private finish(direction: Direction): void {
    this.isOver[direction] = true;
    this.records[direction] = this.messages[direction] = NOTHING;
    this.tx.progress[direction] = PROGRESS_DONE;
  }

  /** @returns bytes used, or 0 when the record is not complete. */
  private record(d: Uint8Array, direction: Direction): number {
    const type = d[0]!;
    if (this.seen[direction] === 0 && type & 0x80 && d[2] === CLIENT_HELLO) return this.sslv2(d, direction);
    const version = d[1]! * 256 + d[2]!;
    const length = d[3]! * 256 + d[4]!;
    if (type < 20 || type > 24 || d[1] !== 3 || length > MAX_RECORD) {
      this.tx.note(d[1] === 3 ? 'invalid_record_type' : 'invalid_record_version');
      this.finish(direction);
      return d.length;
    }
    if (type !== HANDSHAKE) {
      if (d.length < 5 + length) return 0;
      // From here on records are encrypted; in TLS 1.3 a ChangeCipherSpec is only decoration.
      if (type === CHANGE_CIPHER || type === 23) this.hide(direction);
      return 5 + length;
    }
    if (d.length < 5 + length) return 0;
    this.seen[direction]!++;
    this.tx.recordVersion = version;
    this.handshake(d.subarray(5, 5 + length), direction);
    return 5 + length;
  }

  private handshake(fragment: Uint8Array, direction: Direction): void {
    let rest = concat(this.messages[direction], fragment);
    while (rest.length >= 4) {
      const length = rest[1]! * 65_536 + rest[2]! * 256 + rest[3]!;
      if (length > this.maxMessage) {
        this.tx.note('invalid_handshake_message');
        this.finish(direction);
        return;
      }
      if (rest.length < 4 + length) break;
      this.message(rest[0]!, rest.subarray(4, 4 + length), direction);
      if (this.isOver[direction]) return;
      rest = rest.subarray(4 + length);
    }
    this.messages[direction] = rest.length > 0 ? copy(rest) : NOTHING;
  }

  private message(type: number, body: Uint8Array, direction: Direction): void {
    const { tx } = this;
    tx.states |= STATES[type] ?? 0;
    if (type === CLIENT_HELLO && direction === 0) {
      tx.client ??= parseHello(body, true);
      tx.progress[0] = Math.max(tx.progress[0], 1);
    } else if (type === SERVER_HELLO && direction === 1) {
      tx.server ??= parseHello(body, false);
      tx.progress[1] = Math.max(tx.progress[1], 1);
      if (tx.server?.version === TLS13) this.hide(1);
    } else if (type === CERTIFICATE && direction === 1) {
      this.certificates(body);
      tx.progress[1] = Math.max(tx.progress[1], 2);
    } else if (type === SERVER_HELLO_DONE) {
      tx.progress[1] = Math.max(tx.progress[1], 3);
    }
    if (body.length === 0 && type !== SERVER_HELLO_DONE && type !== 0) tx.note('invalid_handshake_message');
  }

  private certificates(body: Uint8Array): void {
    if (this.tx.certificates.length > 0) return;
    for (let at = 3; at + 3 <= body.length && this.tx.certificates.length < 16;) {
      const length = body[at]! * 65_536 + body[at + 1]! * 256 + body[at + 2]!;
      at += 3;
      if (at + length > body.length) {
        this.tx.note('certificate_invalid_length');
        return;
      }
      this.tx.certificates.push(copy(body.subarray(at, at + length)));
      at += length;
    }
  }

  /** A client hello in the record format of SSLv2, which offers any version. */
  private sslv2(d: Uint8Array, direction: Direction): number {
    const length = (d[0]! & 0x7f) * 256 + d[1]!;
    if (d.length < 2 + length) return 0;
    this.seen[direction]!++;
    const version = d[3]! * 256 + d[4]!;
    this.tx.recordVersion = version === 2 ? SSL2 : version;
    this.tx.progress[0] = Math.max(this.tx.progress[0], 1);
    if (version === 2) this.finish(direction);
    return 2 + length;
  }
}
