import type { AppLayerOptions } from '../options.js';
import { chomp, latin1, NOTHING, Pieces } from './bytes.js';
import { hasExtension, parseChunkLength } from './chunked.js';
import { headerEvent, parseLength } from './headers.js';
import { hostEvents } from './host.js';
import { HeaderReader, Input } from './lines.js';
import { Multipart } from './multipart.js';
import { beginsWithMethod, readRequestLine } from './request-line.js';
import { HTTP_PROGRESS, type HttpTransaction } from './transaction.js';

type State =
  | 'idle'
  | 'protocol'
  | 'headers'
  | 'length'
  | 'chunk_length'
  | 'chunk_data'
  | 'chunk_end'
  | 'trailer'
  | 'after'
  | 'connect'
  | 'tunnel'
  | 'failed';

export interface RequestDeps {
  open(): HttpTransaction;
}

/** Reads requests as libhtp's IDS personality does. */
export class RequestReader {
  private state: State = 'idle';
  private readonly input = new Input();
  private readonly pieces = new Pieces();
  private readonly headerReader = new HeaderReader(this.input, this.pieces);
  private tx: HttpTransaction | undefined;
  private multipart: Multipart | undefined;
  private left = 0;
  private readonly deps: RequestDeps;
  private readonly options: AppLayerOptions;
  private readonly maxLine: number;

  constructor(options: AppLayerOptions, deps: RequestDeps) {
    this.options = options;
    this.deps = deps;
    this.maxLine = options.httpLineKiB * 1024;
  }

  feed(data: Uint8Array, offset: number, length: number): void {
    if (this.state === 'failed' || this.state === 'tunnel') return;
    this.input.feed(data, offset, length);
    if (this.state === 'connect') {
      // Until the answer it is open whether these are requests or the inside of a tunnel.
      this.input.keep();
      if (this.input.left > this.maxLine) this.fail(undefined);
      return;
    }
    while (this.step());
    this.input.keep();
    if (this.input.left > this.maxLine) {
      this.begin();
      this.fail('request_field_too_long');
    }
  }

  /** The transaction of a request of which not even the first line is complete; undefined when nothing of one is there. */
  begin(): HttpTransaction | undefined {
    if (this.state !== 'idle' || this.input.left === 0) return undefined;
    return (this.tx ??= this.deps.open());
  }

  /** The answer to CONNECT is no: what was held back are requests. */
  refused(): void {
    if (this.state !== 'connect') return;
    this.state = 'idle';
    while (this.step());
    this.input.keep();
  }

  tunnel(): void {
    this.complete();
    this.state = 'tunnel';
  }

  gap(length: number): void {
    if ((this.state === 'length' || this.state === 'chunk_data') && this.input.left === 0 && length <= this.left) {
      this.left -= length;
      if (this.left > 0) return;
      if (this.state === 'length') this.complete();
      else this.state = 'chunk_end';
      return;
    }
    if (this.state !== 'idle' || this.input.left > 0) this.fail(undefined);
  }

  end(): void {
    if (this.state === 'idle' && this.input.left > 0) this.requestLine(this.input.rest());
    const { tx } = this;
    if (tx !== undefined && this.state === 'headers') {
      tx.request.rawHeaders.add(this.input.rest());
      this.headerReader.flush(tx.request.headers, (anomaly) => {
        tx.note(headerEvent('request', anomaly));
      });
    }
    this.complete();
    this.state = 'failed';
  }

  private step(): boolean {
    const { input } = this;
    switch (this.state) {
      case 'idle': {
        const line = input.line();
        if (line === undefined) return false;
        this.requestLine(line);
        return true;
      }
      case 'protocol':
        return this.missingProtocol();
      case 'headers':
      case 'trailer':
        return this.headers(this.tx!);
      case 'length':
      case 'chunk_data': {
        if (input.left === 0) return false;
        const data = input.take(this.left);
        this.left -= data.length;
        this.body(this.tx!, data);
        if (this.left > 0) return false;
        if (this.state === 'length') this.finish();
        else this.state = 'chunk_end';
        return true;
      }
      case 'chunk_end': {
        if (input.line() === undefined) return false;
        this.state = 'chunk_length';
        return true;
      }
      case 'chunk_length':
        return this.chunkLength(this.tx!);
      case 'after':
        return this.after(this.tx!);
    }
    return false;
  }

  private requestLine(raw: Uint8Array): void {
    const line = chomp(raw);
    if (line.length === 0) return;
    const tx = (this.tx ??= this.deps.open());
    tx.request.line = this.pieces.copy(line);
    readRequestLine(tx, tx.request.line);
    tx.step(0, HTTP_PROGRESS.LINE);
    if (tx.request.protocol === undefined) this.state = 'protocol';
    else this.beginHeaders(tx);
  }

  private beginHeaders(tx: HttpTransaction): void {
    tx.step(0, HTTP_PROGRESS.HEADERS);
    this.state = 'headers';
  }

  /** A request line without a protocol is all there is, unless header fields follow. */
  private missingProtocol(): boolean {
    const tx = this.tx!;
    const { input } = this;
    const next = input.data.subarray(input.at, input.at + 64);
    if (next.length > 0 && /^[\w-]+[ \t]*:/.test(latin1(next))) {
      this.beginHeaders(tx);
      return true;
    }
    tx.isSimple = true;
    tx.step(0, HTTP_PROGRESS.BODY);
    this.complete();
    input.rest();
    return false;
  }

  private headers(tx: HttpTransaction): boolean {
    const before = this.input.at;
    const outcome = this.headerReader.read(tx.request.headers, false, (anomaly) => {
      tx.note(headerEvent('request', anomaly));
    });
    if (this.state === 'headers') tx.request.rawHeaders.add(this.input.data.subarray(before, this.input.at));
    if (outcome === 'more') return false;
    if (this.state === 'trailer') this.finish();
    else this.determine(tx);
    return true;
  }

  private determine(tx: HttpTransaction): void {
    const { headers } = tx.request;
    tx.step(0, HTTP_PROGRESS.BODY);
    const isHttp11 = latin1(tx.request.protocol ?? NOTHING) === 'HTTP/1.1';
    const isConnect = tx.methodText === 'CONNECT';
    const uri = latin1(tx.uri ?? NOTHING);
    for (const event of hostEvents(uri, { isConnect, needsHost: isHttp11 }, headers.text('host'))) tx.note(event);
    const authorization = headers.text('authorization');
    if (authorization !== undefined && !/^(basic|digest|bearer)/i.test(authorization)) {
      tx.note('request_auth_unrecognized');
    }
    this.multipart = Multipart.from(headers.text('content-type'), tx, this.options.httpRequestBodyKiB * 1024);
    const coding = headers.text('transfer-encoding');
    const length = headers.get('content-length');
    if (coding !== undefined) {
      const isChunked = coding.split(',').some((name) => name.trim().toLowerCase() === 'chunked');
      // Chunks came with HTTP/1.1.
      if (!isChunked || !isHttp11) tx.note('invalid_transfer_encoding_value_in_request');
      if (isChunked) this.state = 'chunk_length';
      else this.fail(undefined);
    } else if (length !== undefined) {
      this.left = parseLength(length);
      if (this.left < 0) this.fail('invalid_content_length_field_in_request');
      else if (this.left === 0) this.finish();
      else this.state = 'length';
    } else if (!isConnect) {
      this.finish();
    }
    if (isConnect) {
      this.complete();
      this.state = 'connect';
    }
  }

  private chunkLength(tx: HttpTransaction): boolean {
    const line = this.input.line();
    if (line === undefined) return false;
    const length = parseChunkLength(line);
    if (length === -1) return true;
    if (length < 0) {
      this.fail('invalid_request_chunk_len');
      return false;
    }
    if (hasExtension(line)) tx.note('request_chunk_extension');
    this.left = length;
    this.state = length > 0 ? 'chunk_data' : 'trailer';
    if (length === 0) tx.step(0, HTTP_PROGRESS.TRAILER);
    return true;
  }

  private body(tx: HttpTransaction, data: Uint8Array): void {
    if (tx.request.bodyBytes === 0) tx.checkFileName(0);
    tx.request.bodyBytes += data.length;
    tx.request.body.add(data);
    this.multipart?.push(tx.request.body.bytes);
  }

  /** The request is over; what came with it is looked at first. */
  private finish(): void {
    if (this.input.left === 0) this.complete();
    else this.state = 'after';
  }

  private after(tx: HttpTransaction): boolean {
    const { input } = this;
    if (input.left === 0) {
      this.complete();
      return false;
    }
    const begin = input.at;
    const line = input.line();
    if (line === undefined) return false;
    if (beginsWithMethod(line)) {
      input.at = begin;
      this.complete();
    } else {
      tx.note('request_body_unexpected');
      this.body(tx, line);
    }
    return true;
  }

  private complete(): void {
    const { tx } = this;
    if (tx === undefined) return;
    this.multipart?.push(tx.request.body.bytes);
    this.multipart = undefined;
    tx.step(0, HTTP_PROGRESS.DONE);
    this.tx = undefined;
    if (this.state !== 'tunnel') this.state = 'idle';
  }

  private fail(event: string | undefined): void {
    if (event !== undefined) this.tx?.note(event);
    this.complete();
    this.state = 'failed';
  }
}
