import type { AppTransaction, BufferValue } from '../../domain/app-layer.js';
import type { Direction } from '../../domain/flow.js';
import { bytesOf } from '../http/bytes.js';
import { parseCertificate, type CertificateFields } from './certificate.js';
import { ja3, ja3s, ja4, md5, type Hello } from './hello.js';

/** Version of SSLv2 records. */
export const SSL2 = 0x0200;

/** What rules ask of a handshake. */
export class TlsTransaction implements AppTransaction {
  readonly proto = 'tls';
  readonly id: number;
  readonly progress: [number, number] = [0, 0];
  readonly events: string[] = [];
  client: Hello | undefined;
  server: Hello | undefined;
  recordVersion = 0;
  /** What was seen of the handshake, as bits: hellos of client and server, key exchanges of client and server. */
  states = 0;
  /** Certificates of the client, when it was asked for some, and of the server; each side's own one first. */
  readonly certificates: readonly [Uint8Array[], Uint8Array[]] = [[], []];
  private readonly fields: [CertificateFields | undefined, CertificateFields | undefined] = [undefined, undefined];
  constructor(id = 0) {
    this.id = id;
  }

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
        return this.certificates[1].length > 0 ? this.certificates[1].length : undefined;
      case 'tls.notbefore':
        return this.certificate(1)?.notBefore;
      case 'tls.notafter':
        return this.certificate(1)?.notAfter;
    }
    if (name.startsWith('ssl_state&')) return (this.states & Number(name.slice(10))) === 0 ? undefined : 1;
    return undefined;
  }

  private make(name: string, direction: Direction): BufferValue | undefined {
    const { client, server } = this;
    const text = (value: string | undefined): Uint8Array | undefined =>
      value === undefined ? undefined : bytesOf(value);
    if (name.startsWith('tls.cert_') || name === 'tls.subjectaltname') return this.fromCertificate(name, direction);
    const own = direction === 0 ? client : server;
    switch (name) {
      case 'tls.sni':
        return client?.sni;
      case 'tls.alpn':
        return own !== undefined && own.alpn.length > 0 ? own.alpn : undefined;
      case 'tls.certs':
        return this.certificates[direction].length > 0 ? this.certificates[direction] : undefined;
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

  private certificate(direction: Direction): CertificateFields | undefined {
    const [first] = this.certificates[direction];
    return first && (this.fields[direction] ??= parseCertificate(first));
  }

  private fromCertificate(name: string, direction: Direction): BufferValue | undefined {
    const f = this.certificate(direction);
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
