import type { AppParser } from '../../domain/app-layer.js';
import type { Direction } from '../../domain/flow.js';
import { bytesOf } from '../http/bytes.js';
import { createMessageParser, type MessageReader, type Transactions } from '../messages.js';
import type { AppLayerOptions } from '../options.js';
import { isQuicVersion, publicVersion } from '../protocol-binary.js';
import { ja3, ja3s, ja4, md5, parseHello } from '../tls/hello.js';
import type { FieldTransaction } from '../transaction.js';
import { areFrames, cryptoFrames, CryptoStream, varint } from './frames.js';
import { readGoogleHello } from './google.js';
import { initialKeys, openInitial, type InitialKeys } from './initial.js';

/** Initial packets of one direction that are decrypted at most. */
const MAX_PACKETS = 16;
const V2 = 0x6b3343cf;
/** First letter of the versions of Google's QUIC: `Q`. */
const GOOGLE = 0x51;
const MAX_ID = 20;

/** QUIC (RFC 9000, 9369, Google's Q046): hellos in the first packets, which anybody can decrypt. */
export function createQuicParser(options: AppLayerOptions): AppParser {
  return createMessageParser({
    proto: 'quic',
    options,
    transport: 'udp',
    reader: (list) => new QuicReader(list, options.tlsHandshakeKiB * 1024),
  });
}

/** A long header up to the packet number (RFC 9000 17.2). */
interface LongHeader {
  version: number;
  isInitial: boolean;
  destination: Uint8Array;
  numberAt: number;
  end: number;
}

class QuicReader implements MessageReader {
  private readonly list: Transactions;
  private readonly streams: [CryptoStream, CryptoStream];
  private readonly opened = [0, 0];
  /** A direction's hello was read. */
  private readonly isDone = [false, false];
  private keys: [InitialKeys | undefined, InitialKeys | undefined] | undefined;

  constructor(list: Transactions, maxBytes: number) {
    this.list = list;
    this.streams = [new CryptoStream(maxBytes), new CryptoStream(maxBytes)];
  }

  message(d: Uint8Array, direction: Direction): void {
    const old = publicVersion(d);
    if (old !== undefined) {
      this.google(d, direction, old);
      return;
    }
    let rest = d;
    // Packets may share a datagram (RFC 9000 12.2).
    for (let n = 0; n < 8 && rest.length > 20 && (rest[0]! & 0x80) !== 0; n++) {
      const version = Buffer.from(rest.buffer, rest.byteOffset + 1, 4).readUInt32BE();
      if (version >>> 24 === GOOGLE) {
        this.google(rest, direction, version);
        return;
      }
      const header = isQuicVersion(version) ? readHeader(rest, version) : undefined;
      if (header === undefined) return;
      if (header.isInitial && !this.isDone[direction]) this.initial(rest.subarray(0, header.end), header, direction);
      rest = rest.subarray(header.end);
    }
  }

  private open(direction: Direction, version: number): FieldTransaction {
    const tx = this.list.open(direction);
    tx.fields[direction].set('quic.version', Buffer.from([24, 16, 8, 0].map((shift) => (version >>> shift) & 255)));
    tx.finish();
    return tx;
  }

  private initial(packet: Uint8Array, header: LongHeader, direction: Direction): void {
    if (this.opened[direction]! >= MAX_PACKETS) return;
    this.opened[direction]!++;
    if (initialKeys(header.version, header.destination, false) === undefined) {
      this.readable(packet.subarray(header.numberAt), header, direction);
      return;
    }
    const frames = this.decrypt(packet, header, direction);
    if (frames === undefined || !areFrames(frames)) {
      this.open(direction, header.version).note(frames === undefined ? 'failed_decrypt' : 'error_on_data');
      return;
    }
    const stream = this.streams[direction];
    for (const frame of cryptoFrames(frames)) {
      if (!stream.add(frame)) this.open(direction, header.version).note('crypto_frag_too_long');
    }
    const hello = wholeHello(stream.bytes, direction);
    if (hello === undefined) return;
    this.isDone[direction] = true;
    describe(this.open(direction, header.version), direction, hello);
  }

  /** A version whose keys are not known: nothing can be read unless it is not encrypted. */
  private readable(d: Uint8Array, header: LongHeader, direction: Direction): void {
    const tx = this.open(direction, header.version);
    if (areFrames(d)) return;
    this.isDone[direction] = true;
    tx.note('error_on_data');
  }

  /** The keys follow from the client's choice of an id; behind a Retry the client begins anew with another one. */
  private decrypt(packet: Uint8Array, header: LongHeader, direction: Direction): Uint8Array | undefined {
    const known = this.keys?.[direction];
    const frames = known && openInitial(known, packet, header.numberAt);
    if (frames !== undefined || direction === 1) return frames;
    const keysOf = (isServer: boolean) => initialKeys(header.version, header.destination, isServer);
    const keys = keysOf(false);
    const opened = keys && openInitial(keys, packet, header.numberAt);
    if (opened !== undefined) this.keys = [keys, keysOf(true)];
    return opened;
  }

  private google(d: Uint8Array, direction: Direction, version: number): void {
    if (this.isDone[direction] || direction === 1) return;
    this.isDone[direction] = true;
    const tx = this.open(direction, version);
    const hello = readGoogleHello(d);
    if (hello === undefined) return;
    const fields = tx.fields[0];
    if (hello.sni) fields.set('quic.sni', hello.sni);
    if (hello.userAgent) fields.set('quic.ua', hello.userAgent);
    // CYU, a fingerprint of clients: the version and the names of the tags.
    const number = Number(Buffer.from([(version >>> 8) & 255, version & 255]).toString('latin1'));
    const cyu = `${number},${hello.tags.join('-')}`;
    fields.set('quic.cyu.string', bytesOf(cyu));
    fields.set('quic.cyu.hash', bytesOf(md5(cyu)));
  }
}

function readHeader(d: Uint8Array, version: number): LongHeader | undefined {
  const destinationLength = d[5]!;
  const sourceAt = 6 + destinationLength;
  const sourceLength = d[sourceAt];
  if (sourceLength === undefined || destinationLength > MAX_ID || sourceLength > MAX_ID) return undefined;
  const type = (d[0]! >> 4) & 3;
  const isInitial = type === (version === V2 ? 1 : 0);
  const isRetry = type === (version === V2 ? 0 : 3);
  let at = sourceAt + 1 + sourceLength;
  if (isInitial) {
    const token = varint(d, at);
    if (token === undefined) return undefined;
    at = token.end + token.value;
  }
  const length = isRetry ? undefined : varint(d, at);
  if (length === undefined || length.end + length.value > d.length) return undefined;
  return {
    version,
    isInitial,
    destination: d.subarray(6, sourceAt),
    numberAt: length.end,
    end: length.end + length.value,
  };
}

/** The first handshake message when all of it is there. */
function wholeHello(d: Uint8Array, direction: Direction): Uint8Array | undefined {
  if (d.length < 4 || d[0] !== 1 + direction) return undefined;
  const length = d[1]! * 65_536 + d[2]! * 256 + d[3]!;
  return d.length < 4 + length ? undefined : d.subarray(4, 4 + length);
}

function describe(tx: FieldTransaction, direction: Direction, body: Uint8Array): void {
  const hello = parseHello(body, direction === 0);
  if (hello === undefined) return;
  const set = (name: string, value: string): void => void tx.fields[direction].set(name, bytesOf(value));
  if (direction === 0) {
    if (hello.sni) tx.fields[0].set('quic.sni', hello.sni);
    set('ja3.string', ja3(hello));
    set('ja3.hash', md5(ja3(hello)));
    set('ja4.hash', ja4(hello, 'q'));
  } else {
    set('ja3s.string', ja3s(hello));
    set('ja3s.hash', md5(ja3s(hello)));
  }
}
