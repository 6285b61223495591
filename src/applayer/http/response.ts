import type { AppLayerOptions } from '../options.js';
import { CR, LF, NOTHING, chomp, copy, isSpace, latin1, part, Pieces } from './bytes.js';
import { readChunkLength } from './chunked.js';
import { BodyDecoder, parseEncodings } from './decode-body.js';
import { isBadRange } from './content-range.js';
import { headerEvent, parseLength } from './headers.js';
import { HeaderReader, Input } from './lines.js';
import { HTTP_PROGRESS, type HttpTransaction } from './transaction.js';

type State =
  | 'idle'
  | 'line'
  | 'headers'
  | 'determine'
  | 'length'
  | 'chunk_length'
  | 'chunk_data'
  | 'chunk_end'
  | 'until_close'
  | 'trailer'
  | 'after'
  | 'tunnel'
  | 'failed';

export interface ResponseDeps {
  /** The oldest request without an answer; a transaction without a request when there is none. */
  next(): HttpTransaction;
  /** The other protocol begins (CONNECT, Upgrade). */
  tunnel(): void;
  /** CONNECT is refused: requests go on. */
  refused(): void;
}

/** Room made for a body because a length says so; more only when the bytes are there. */
const MAX_RESERVED = 32_768;
const HTTP = [0x68, 0x74, 0x74, 0x70];

/** Browsers take a first line for a status line when it begins with "http". */
function resemblesResponse(line: Uint8Array): boolean {
  let at = 0;
  while (at < line.length && (isSpace(line[at]!) || line[at] === 0)) at++;
  return HTTP.every((c, i) => ((line[at + i] ?? 0) | 0x20) === c);
}

/** Reads responses as libhtp does, which reads them as browsers do. */
export class ResponseReader {
  private state: State = 'idle';
  private readonly input = new Input();
  private readonly pieces = new Pieces();
  private readonly headerReader = new HeaderReader(this.input, this.pieces);
  private tx: HttpTransaction | undefined;
  private decoder: BodyDecoder | undefined;
  /** The connection goes on in a protocol that is looked for anew: behind CONNECT, or in HTTP/2. */
  handsOver = false;
  private behind: Uint8Array = NOTHING;
  private left = 0;
  /** Position in the stream behind the bytes given last. */
  private fedTo = 0;
  private readonly options: AppLayerOptions;
  private readonly deps: ResponseDeps;
  private readonly maxLine: number;

  constructor(options: AppLayerOptions, deps: ResponseDeps) {
    this.options = options;
    this.deps = deps;
    this.maxLine = options.httpLineKiB * 1024;
  }

  /** Bytes behind the answer that opened a tunnel. */
  get rest(): Uint8Array {
    return this.behind;
  }

  get isTunnel(): boolean {
    return this.state === 'tunnel';
  }

  /** @param position in the stream of the first byte. */
  feed(data: Uint8Array, offset: number, length: number, position: number): void {
    if (this.state === 'failed' || this.state === 'tunnel') return;
    this.fedTo = position + length;
    if (this.state === 'length' && length < this.left && this.input.left === 0) {
      // Within a body there is nothing to find.
      this.left -= length;
      this.body(this.tx!, part(data, offset, length));
      return;
    }
    this.input.feed(data, offset, length);
    while (this.step());
    if (this.handsOver) this.behind = copy(this.input.rest());
    this.input.keep();
    if (this.input.left > this.maxLine) this.fail(undefined);
  }

  /** `length` bytes are missing. */
  gap(length: number): void {
    if (this.state === 'length' || this.state === 'chunk_data') {
      if (this.input.left === 0 && length <= this.left) {
        this.left -= length;
        if (this.left === 0) this.afterBody();
        return;
      }
      this.fail(undefined);
    } else if (this.state !== 'until_close' && this.state !== 'idle') {
      this.fail(undefined);
    }
  }

  end(): void {
    const { tx } = this;
    if (tx === undefined) return;
    const rest = this.input.rest();
    if (rest.length > 0 && this.state === 'line') {
      if (resemblesResponse(rest)) this.statusLine(tx, rest);
      else this.body(tx, rest);
    } else if (rest.length > 0 && this.state === 'chunk_length') {
      this.body(tx, rest);
    } else if (rest.length > 0 && this.state === 'after') {
      this.body(tx, rest);
    }
    if (this.state === 'headers') {
      this.headerReader.flush(tx.response.headers, (anomaly) => {
        tx.note(headerEvent('response', anomaly));
      });
      tx.response.rawHeaders.add(rest);
    }
    this.complete();
    this.state = 'failed';
  }

  /** @returns false when more data is needed. */
  private step(): boolean {
    const { input } = this;
    if (this.state === 'idle') {
      if (input.left === 0) return false;
      this.tx = this.deps.next();
      this.state = this.tx.isSimple ? 'until_close' : 'line';
      if (this.tx.isSimple) this.tx.step(1, HTTP_PROGRESS.BODY);
    }
    const tx = this.tx!;
    switch (this.state) {
      case 'line':
        return this.firstLine(tx);
      case 'headers':
      case 'trailer':
        return this.headers(tx);
      case 'determine':
        this.determine(tx);
        return true;
      case 'length':
      case 'chunk_data': {
        if (input.left === 0) return false;
        const data = input.take(this.left);
        this.left -= data.length;
        this.body(tx, data);
        if (this.left === 0) this.afterBody();
        return true;
      }
      case 'chunk_length':
        return this.chunkLength(tx);
      case 'chunk_end': {
        if (input.left === 0) return false;
        const line = input.line();
        if (line === undefined) input.at = input.data.length;
        else this.state = 'chunk_length';
        return line !== undefined;
      }
      case 'until_close':
        if (input.left > 0) this.body(tx, input.rest());
        return false;
      case 'after':
        return this.after(tx);
    }
    return false;
  }

  private afterBody(): void {
    if (this.state === 'chunk_data') {
      this.state = 'chunk_end';
      return;
    }
    this.decoder?.end();
    this.state = 'after';
  }

  private firstLine(tx: HttpTransaction): boolean {
    const { input } = this;
    const { data, at: begin } = input;
    let end = begin;
    for (; end < data.length; end++) {
      if (data[end] === LF) break;
      if (data[end] !== CR) continue;
      if (end + 1 === data.length) return false;
      if (data[end + 1] !== LF) break;
    }
    if (end === data.length) return false;
    const line = input.take(end + 1 - begin);
    const text = chomp(line);
    if (text.length === 0) return true;
    if (!resemblesResponse(text)) {
      tx.note('response_line_invalid');
      this.body(tx, line);
      return true;
    }
    this.statusLine(tx, text);
    tx.step(1, HTTP_PROGRESS.HEADERS);
    this.state = 'headers';
    return true;
  }

  private statusLine(tx: HttpTransaction, line: Uint8Array): void {
    const m = tx.response;
    m.line = this.pieces.copy(line);
    const parts = /^[\s\0]*(\S+)(?:\s+(\S+)(?:\s+([^]*))?)?/.exec(latin1(line));
    const bytes = (text: string | undefined): Uint8Array | undefined =>
      text === undefined || text === '' ? undefined : Buffer.from(text, 'latin1');
    m.protocol = bytes(parts?.[1]);
    tx.statCode = bytes(parts?.[2]);
    tx.statMsg = bytes(parts?.[3]);
    tx.status = /^\d{3}$/.test(parts?.[2] ?? '') ? Number(parts![2]) : -1;
    if (tx.status < 100) tx.note('response_invalid_status');
    if (!/^HTTP\/(0\.9|1\.[01])$/.test(parts?.[1] ?? '')) tx.note('response_invalid_protocol');
  }

  private headers(tx: HttpTransaction): boolean {
    const before = this.input.at;
    const isHttp11 = tx.response.protocol !== undefined && latin1(tx.response.protocol) === 'HTTP/1.1';
    const outcome = this.headerReader.read(tx.response.headers, isHttp11, (anomaly) => {
      // Suricata does not tell of those that are too long.
      if (anomaly !== 'field_too_long') tx.note(headerEvent('response', anomaly));
    });
    if (this.state === 'headers') tx.response.rawHeaders.add(this.input.data.subarray(before, this.input.at));
    if (outcome === 'more') return false;
    if (this.state === 'headers') this.state = 'determine';
    else {
      this.decoder?.end();
      this.state = 'after';
    }
    return true;
  }

  private determine(tx: HttpTransaction): void {
    const { headers } = tx.response;
    const length = headers.get('content-length');
    const coding = headers.text('transfer-encoding');
    const hasBodyField = length !== undefined || coding !== undefined;
    const { status, methodText } = tx;
    const isConnected = methodText === 'CONNECT' && status >= 200 && status <= 299;
    if (isConnected || (status === 101 && !hasBodyField)) {
      tx.step(1, HTTP_PROGRESS.BODY);
      this.complete();
      this.state = 'tunnel';
      this.handsOver = isConnected || /^\s*h2c\s*$/i.test(headers.text('upgrade') ?? '');
      this.deps.tunnel();
      return;
    }
    if (methodText === 'CONNECT') this.deps.refused();
    if (status === 100 && coding === undefined && (length === undefined || parseLength(length) <= 0)) {
      if (tx.hadContinue) {
        this.fail('100_continue_already_seen');
        return;
      }
      tx.hadContinue = true;
      headers.clear();
      tx.response.cache.clear();
      tx.step(1, HTTP_PROGRESS.LINE);
      this.state = 'line';
      return;
    }
    tx.step(1, HTTP_PROGRESS.BODY);
    this.chooseDecoder(tx);
    const isBodyless = (status >= 100 && status <= 199) || status === 204 || status === 304;
    if (methodText === 'HEAD' || (isBodyless && !hasBodyField)) {
      this.state = 'after';
      return;
    }
    if (isBodyless) tx.note('response_body_unexpected');
    if (coding?.replace(/\0/g, '').toLowerCase().includes('chunked') === true) {
      if (coding.toLowerCase() !== 'chunked') tx.note('response_abnormal_transfer_encoding');
      if (latin1(tx.response.protocol ?? NOTHING) !== 'HTTP/1.1') tx.note('response_chunked_old_proto');
      this.state = 'chunk_length';
    } else if (length !== undefined) {
      this.left = parseLength(length);
      if (this.left < 0) this.fail('invalid_content_length_field_in_response');
      else {
        this.state = this.left === 0 ? 'after' : 'length';
        if (this.decoder === undefined) tx.response.body.reserve(Math.min(this.left, MAX_RESERVED));
      }
    } else if (headers.text('content-type')?.toLowerCase().includes('multipart/byteranges') === true) {
      this.fail('response_multipart_byteranges');
    } else {
      this.state = 'until_close';
    }
  }

  private chooseDecoder(tx: HttpTransaction): void {
    this.decoder = undefined;
    const value = tx.response.headers.text('content-encoding');
    if (value === undefined) return;
    const found = parseEncodings(value, this.options.httpContentEncodings);
    if (found.isAbnormal) tx.note('abnormal_ce_header');
    if (found.isTooMany) tx.note('too_many_encoding_layers');
    if (found.encodings.length === 0) return;
    this.decoder = new BodyDecoder(found.encodings, this.options.httpMaxExpansion, {
      emit: (data) => {
        tx.response.body.add(data);
      },
      note: (event) => {
        tx.note(event);
      },
    });
  }

  private chunkLength(tx: HttpTransaction): boolean {
    const length = readChunkLength(this.input, () => {
      tx.note('request_chunk_extension');
    });
    if (length === 'more') return false;
    if (length === 'invalid') {
      tx.note('invalid_response_chunk_len');
      this.state = 'until_close';
    } else if (length > 0) {
      this.left = length;
      this.state = 'chunk_data';
    } else {
      tx.step(1, HTTP_PROGRESS.TRAILER);
      this.state = 'trailer';
    }
    return true;
  }

  /** What follows a response is the next one, if it looks so; otherwise still its body. */
  private after(tx: HttpTransaction): boolean {
    const { input } = this;
    if (input.left === 0) {
      this.complete();
      this.state = 'idle';
      return false;
    }
    const line = input.line();
    if (line === undefined) return false;
    if (resemblesResponse(line)) {
      input.at -= line.length;
      this.complete();
      this.state = 'idle';
    } else if (chomp(line).length > 0) {
      tx.note('response_body_unexpected');
      this.body(tx, line);
    }
    return true;
  }

  private body(tx: HttpTransaction, data: Uint8Array): void {
    if (tx.response.bodyBytes === 0) {
      const range = tx.response.headers.text('content-range');
      if (range !== undefined && isBadRange(range)) tx.note('range_invalid');
      tx.checkFileName(1);
    }
    const position = this.fedTo - this.input.left - data.length;
    const { bodyAt, bodyBytes } = tx.response;
    if (bodyBytes === 0) tx.response.bodyAt = this.decoder === undefined ? position : -1;
    else if (bodyAt >= 0 && bodyAt + bodyBytes !== position) tx.response.bodyAt = -1;
    tx.response.bodyBytes += data.length;
    if (tx.progress[1] < HTTP_PROGRESS.BODY) tx.progress[1] = HTTP_PROGRESS.BODY;
    if (tx.response.body.isFull) return;
    if (this.decoder === undefined) tx.response.body.add(data);
    else this.decoder.push(data);
  }

  private complete(): void {
    this.decoder?.end();
    this.decoder = undefined;
    this.tx?.step(1, HTTP_PROGRESS.DONE);
    this.tx = undefined;
  }

  private fail(event: string | undefined): void {
    if (event !== undefined) this.tx?.note(event);
    this.complete();
    this.state = 'failed';
  }
}
