import { BrotliLayer } from './brotli.js';
import { copy } from './bytes.js';
import { Unwrap, type Wrapping } from './unwrap.js';

/** Decoded bytes are handed on in portions of this size, and what is left at the end. */
const PORTION = 8192;
/** Compressed bytes kept to try again from the beginning. */
const RETRY_BYTES = 16_384;
const GZIP_HEADER = 10;

/** Decoded bytes of a body from which it may be a bomb. */
const BOMB_BYTES = 1_048_576;
/** Layers that Suricata undoes; more than these are told. */
const USUAL_LAYERS = 2;

export type Encoding = 'gzip' | 'deflate' | 'br';
type Next = (data: Uint8Array) => void;

/** What a decoder hands on. */
export interface DecoderSink {
  emit(data: Uint8Array): void;
  /** Names of `app-layer-event`. */
  note(event: 'gzip_decompression_failed' | 'compression_bomb'): void;
}

/** What all layers of a body may make of it together: one within the other they multiply. */
class Budget {
  isSpent = false;
  private bytesIn = 0;
  private bytesOut = 0;
  private readonly maxExpansion: number;
  private readonly sink: DecoderSink;

  constructor(maxExpansion: number, sink: DecoderSink) {
    this.maxExpansion = maxExpansion;
    this.sink = sink;
  }

  take(bytes: number): void {
    this.bytesIn += bytes;
  }

  /** Hands on what the last layer has decoded. */
  readonly emit = (data: Uint8Array): void => {
    if (this.isSpent) return;
    this.bytesOut += data.length;
    this.sink.emit(data);
    if (this.bytesOut <= BOMB_BYTES || this.bytesOut <= this.maxExpansion * this.bytesIn) return;
    this.isSpent = true;
    this.sink.note('compression_bomb');
  };

  readonly broken = (): void => {
    this.sink.note('gzip_decompression_failed');
  };
}

/** Bytes of a gzip header as far as it can be skipped blindly, when its parts are not what they should be. */
function skippable(d: Uint8Array): number {
  if (d.length < 4 || d[0] !== 0x1f || d[1] !== 0x8b || d[3] === 0) return 0;
  if (d[3]! & 24) {
    const end = d.length > GZIP_HEADER ? d.indexOf(0, GZIP_HEADER) : -1;
    return end < 0 ? 0 : end + 1;
  }
  const length = d[3]! & 2 ? GZIP_HEADER + 2 : GZIP_HEADER;
  return length > d.length ? 0 : length;
}

/**
 * Undoes one content encoding the way libhtp does, which is as forgiving as browsers: when the data is not what the header
 * says it tries the header skipped, then the other format, then the first again, and in the end passes the bytes on as
 * they are. Data that breaks after something was decoded ends there.
 */
class Layer {
  private readonly portion = new Uint8Array(PORTION);
  private filled = 0;
  private wrapping: Wrapping;
  private unwrap: Unwrap;
  private attempt = 0;
  private isRaw = false;
  private isOver = false;
  private received: Uint8Array | undefined = new Uint8Array(0);
  private bytesIn = 0;
  private bytesOut = 0;
  private readonly maxExpansion: number;
  private readonly next: Next;
  private readonly budget: Budget;

  /** @param next gets decoded data; what cannot be decoded goes past the other layers. */
  constructor(encoding: Exclude<Encoding, 'br'>, maxExpansion: number, next: Next, budget: Budget) {
    this.maxExpansion = maxExpansion;
    this.wrapping = encoding === 'gzip' ? 'auto' : 'raw';
    this.next = next;
    this.budget = budget;
    this.unwrap = new Unwrap(this.wrapping, this.emit);
  }

  push(data: Uint8Array): void {
    if (this.isOver || data.length === 0) return;
    if (this.isRaw) {
      this.budget.emit(data);
      return;
    }
    this.bytesIn += data.length;
    if (this.received !== undefined) this.remember(data);
    let input = data;
    while (!this.isRaw) {
      const status = this.unwrap.push(input, this.isRoom);
      if (status === 'more') return;
      if (status === 'error' && this.isRoom()) this.budget.broken();
      if (status === 'end' || this.bytesOut > 0) {
        this.flush();
        this.isOver = true;
        return;
      }
      input = this.restart(data);
    }
    this.budget.emit(this.received ?? data);
    this.received = undefined;
  }

  flush(): void {
    if (this.filled === 0) return;
    const decoded = copy(this.portion.subarray(0, this.filled));
    this.filled = 0;
    this.received = undefined;
    this.next(decoded);
  }

  private remember(data: Uint8Array): void {
    const { received } = this;
    if (received!.length + data.length > RETRY_BYTES) {
      this.received = received!.length === 0 ? copy(data) : undefined;
      return;
    }
    const joined = new Uint8Array(received!.length + data.length);
    joined.set(received!);
    joined.set(data, received!.length);
    this.received = joined;
  }

  private restart(data: Uint8Array): Uint8Array {
    const from = this.received ?? data;
    if (this.attempt > 0) this.wrapping = this.wrapping === 'raw' ? 'auto' : 'raw';
    if (this.attempt++ === 3) this.isRaw = true;
    this.unwrap = new Unwrap(this.wrapping, this.emit);
    return from.subarray(skippable(from));
  }

  private readonly emit = (byte: number): void => {
    this.bytesOut++;
    this.portion[this.filled++] = byte;
    if (this.filled === PORTION) this.flush();
  };

  private readonly isRoom = (): boolean =>
    !this.budget.isSpent && this.bytesOut <= PORTION + this.maxExpansion * this.bytesIn;
}

/** Undoes a response's content encodings, the first listed first. */
export class BodyDecoder {
  private readonly layers: (Layer | BrotliLayer)[] = [];

  private readonly budget: Budget;

  constructor(encodings: readonly Encoding[], maxExpansion: number, sink: DecoderSink) {
    const budget = new Budget(maxExpansion, sink);
    this.budget = budget;
    let next: Next = budget.emit;
    for (const encoding of [...encodings].reverse()) {
      const layer: Layer | BrotliLayer =
        encoding === 'br' ? new BrotliLayer(maxExpansion, next) : new Layer(encoding, maxExpansion, next, budget);
      next = (data) => {
        layer.push(data);
      };
      this.layers.unshift(layer);
    }
  }

  push(data: Uint8Array): void {
    this.budget.take(data.length);
    if (!this.budget.isSpent) this.layers[0]!.push(data);
  }

  /** The body is over: what the layers still hold goes out. */
  end(): void {
    for (const layer of this.layers) layer.flush();
  }
}

/** Encodings named in a `Content-Encoding` value that can be undone, in their order. */
export function parseEncodings(
  value: string,
  max: number,
): { encodings: Encoding[]; isAbnormal: boolean; isTooMany: boolean } {
  const simple = value.replace(/\0/g, '').toLowerCase();
  const one = { isAbnormal: false, isTooMany: false };
  if (simple === 'gzip' || simple === 'x-gzip') return { ...one, encodings: ['gzip'] };
  if (simple === 'deflate' || simple === 'x-deflate') return { ...one, encodings: ['deflate'] };
  if (simple === 'br') return { ...one, isAbnormal: true, encodings: ['br'] };
  if (simple === 'inflate' || simple === 'none' || simple === 'lzma') return { ...one, encodings: [] };
  const encodings: Encoding[] = [];
  let isAbnormal = false;
  const tokens = value.split(/[, ]+/).filter((t) => t !== '');
  for (const token of tokens.slice(0, max)) {
    const lower = token.toLowerCase();
    if (lower.includes('gzip')) encodings.push('gzip');
    else if (lower.includes('deflate')) encodings.push('deflate');
    else if (lower === 'br') encodings.push('br');
    // Suricata does not know brotli.
    if (!/^(x-)?(gzip|deflate)$|^inflate$/.test(token)) isAbnormal = true;
  }
  return { encodings, isAbnormal, isTooMany: tokens.length > Math.min(max, USUAL_LAYERS) };
}
