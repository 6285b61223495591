import type { AppLayerOptions } from '../options.js';
import { chomp, isSpace, latin1, Pieces } from './bytes.js';
import { parseChunkLength } from './chunked.js';
import { parseLength } from './headers.js';
import { HeaderReader, Input } from './lines.js';
import { Multipart } from './multipart.js';
import { HTTP_PROGRESS, type HttpTransaction } from './transaction.js';
import { normalizeUri } from './uri.js';

type State =
  | 'idle'
  | 'protocol'
  | 'headers'
  | 'length'
  | 'chunk_length'
  | 'chunk_data'
  | 'chunk_end'
  | 'trailer'
  | 'connect'
  | 'tunnel'
  | 'failed';

export interface RequestDeps {
  open(): HttpTransaction;
}

const SPACE = 32;

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
    if (this.input.left > this.maxLine) this.fail('request_field_too_long');
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
      this.headerReader.flush(tx.request.headers, (e) => {
        tx.note(`request_${e}`);
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
        if (this.state === 'length') this.complete();
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
    }
    return false;
  }

  private requestLine(raw: Uint8Array): void {
    const line = chomp(raw);
    if (line.length === 0) return;
    const tx = this.deps.open();
    this.tx = tx;
    tx.request.line = this.pieces.copy(line);
    const d = tx.request.line;
    let at = 0;
    while (at < d.length && isSpace(d[at]!)) at++;
    if (at > 0) tx.note('request_line_leading_whitespace');
    const methodAt = at;
    while (at < d.length && !isSpace(d[at]!)) at++;
    tx.method = d.subarray(methodAt, at);
    if (d[at] !== SPACE && at < d.length) tx.note('method_delim_non_compliant');
    while (at < d.length && isSpace(d[at]!)) at++;
    this.target(tx, d, at);
    tx.step(0, HTTP_PROGRESS.LINE);
    if (tx.request.protocol === undefined) this.state = 'protocol';
    else this.beginHeaders(tx);
  }

  /** The target may hold spaces: the protocol is what follows the last one. */
  private target(tx: HttpTransaction, d: Uint8Array, from: number): void {
    let end = d.length;
    while (end > from && isSpace(d[end - 1]!)) end--;
    if (end === from) return;
    let protocolAt = end;
    while (protocolAt > from && d[protocolAt - 1] !== SPACE) protocolAt--;
    if (protocolAt === from) {
      protocolAt = end;
      while (protocolAt > from && !isSpace(d[protocolAt - 1]!)) protocolAt--;
      if (protocolAt > from) tx.note('uri_delim_non_compliant');
    }
    let uriEnd = protocolAt;
    while (uriEnd > from && isSpace(d[uriEnd - 1]!)) uriEnd--;
    if (protocolAt === from) uriEnd = end;
    else {
      tx.request.protocol = d.subarray(protocolAt, end);
      if (!/^HTTP\/(0\.9|1\.[01])$/.test(latin1(tx.request.protocol))) tx.note('request_line_invalid_protocol');
    }
    tx.uri = d.subarray(from, uriEnd);
    tx.parsedUri = normalizeUri(tx.uri);
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
    const outcome = this.headerReader.read(tx.request.headers, false, (event) => {
      tx.note(event === 'invalid_folding' ? 'invalid_request_field_folding' : `request_${event}`);
    });
    if (this.state === 'headers') tx.request.rawHeaders.add(this.input.data.subarray(before, this.input.at));
    if (outcome === 'more') return false;
    if (this.state === 'trailer') this.complete();
    else this.determine(tx);
    return true;
  }

  private determine(tx: HttpTransaction): void {
    const { headers } = tx.request;
    tx.step(0, HTTP_PROGRESS.BODY);
    if (!headers.get('host') && latin1(tx.request.protocol ?? new Uint8Array(0)) === 'HTTP/1.1') {
      tx.note('missing_host_header');
    }
    this.multipart = Multipart.from(headers.text('content-type'), tx, this.options.httpRequestBodyKiB * 1024);
    const coding = headers.text('transfer-encoding');
    const length = headers.get('content-length');
    if (coding !== undefined && /chunked/i.test(coding)) {
      this.state = 'chunk_length';
    } else if (length !== undefined) {
      this.left = parseLength(length);
      if (this.left < 0) this.fail('invalid_content_length_field_in_request');
      else if (this.left === 0) this.complete();
      else this.state = 'length';
    } else {
      if (coding !== undefined) tx.note('invalid_transfer_encoding_value_in_request');
      this.complete();
    }
    if (tx.methodText === 'CONNECT') this.state = 'connect';
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
    this.left = length;
    this.state = length > 0 ? 'chunk_data' : 'trailer';
    if (length === 0) tx.step(0, HTTP_PROGRESS.TRAILER);
    return true;
  }

  private body(tx: HttpTransaction, data: Uint8Array): void {
    tx.request.bodyBytes += data.length;
    tx.request.body.add(data);
    this.multipart?.push(tx.request.body.bytes);
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
