import type { AppLayerOptions } from '../options.js';
import { NOTHING, chomp, copy, latin1, part, Pieces } from './bytes.js';
import { readChunkLength } from './chunked.js';
import { headerEvent } from './headers.js';
import { HeaderReader, Input } from './lines.js';
import { ResponseBody } from './response-body.js';
import { hasGoodSettings, responseFraming, type Upgrade } from './response-framing.js';
import { readStatusLine, resemblesResponse, takeFirstLine } from './status-line.js';
import { HTTP_PROGRESS, type HttpTransaction } from './transaction.js';

const UPPER_H = 0x48;

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

/** Reads responses as libhtp does, which reads them as browsers do. */
export class ResponseReader {
  private state: State = 'idle';
  private readonly input = new Input();
  private readonly pieces = new Pieces();
  private readonly headerReader = new HeaderReader(this.input, this.pieces);
  private tx: HttpTransaction | undefined;
  /** The connection goes on in another protocol: behind CONNECT, or upgraded. */
  handsOver = false;
  /** Then: the one of the upgrade. */
  upgrade: Upgrade | undefined;
  /** Then: what is odd about how it was asked for. */
  upgradeEvents: readonly string[] = [];
  private behind: Uint8Array = NOTHING;
  private left = 0;
  /** Position in the stream behind the bytes given last. */
  private fedTo = 0;
  private readonly bodies: ResponseBody;
  private readonly deps: ResponseDeps;
  private readonly maxLine: number;

  constructor(options: AppLayerOptions, deps: ResponseDeps) {
    this.bodies = new ResponseBody(options);
    this.deps = deps;
    this.maxLine = options.httpLineKiB * 1024;
  }

  /** Bytes behind the answer that opened a tunnel. */
  get rest(): Uint8Array {
    return this.behind;
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
      if (resemblesResponse(rest)) readStatusLine(tx, rest, this.pieces);
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
      tx.response.isCut = true;
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
    this.bodies.end();
    this.state = 'after';
  }

  private firstLine(tx: HttpTransaction): boolean {
    const line = takeFirstLine(this.input);
    if (line === undefined) return false;
    const text = chomp(line);
    if (text.length === 0) return true;
    if (!resemblesResponse(text)) {
      tx.note('response_line_invalid');
      if (!this.isSkipped(text)) this.body(tx, line);
      return true;
    }
    readStatusLine(tx, text, this.pieces);
    tx.step(1, HTTP_PROGRESS.HEADERS);
    this.state = 'headers';
    return true;
  }

  /** A line that is no status line is left out, as in Suricata, when what follows may be one, or when it is short. */
  private isSkipped(line: Uint8Array): boolean {
    const { data, at, left } = this.input;
    return left > 1 && (data[at] === UPPER_H || line.length <= 2);
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
      this.bodies.end();
      this.state = 'after';
    }
    return true;
  }

  private determine(tx: HttpTransaction): void {
    const framing = responseFraming(tx);
    if (framing.kind === 'tunnel') {
      tx.step(1, HTTP_PROGRESS.BODY);
      this.complete();
      this.state = 'tunnel';
      this.upgrade = framing.upgrade;
      if (framing.upgrade === 'http2' && !hasGoodSettings(tx)) this.upgradeEvents = ['invalid_http1_settings'];
      this.handsOver = framing.isConnected || framing.upgrade !== undefined;
      this.deps.tunnel();
      return;
    }
    if (tx.methodText === 'CONNECT') this.deps.refused();
    if (framing.kind === 'continue') {
      tx.hadContinue = true;
      tx.response.headers.clear();
      tx.response.cache.clear();
      tx.step(1, HTTP_PROGRESS.LINE);
      this.state = 'line';
      return;
    }
    tx.step(1, HTTP_PROGRESS.BODY);
    this.bodies.begin(tx);
    switch (framing.kind) {
      case 'nothing':
        this.state = 'after';
        break;
      case 'chunks':
        this.state = 'chunk_length';
        break;
      case 'length':
        this.left = framing.bytes;
        this.state = this.left === 0 ? 'after' : 'length';
        this.bodies.expect(tx, this.left);
        break;
      case 'until_close':
        this.state = 'until_close';
        break;
      case 'failed':
        this.fail(framing.event);
    }
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

  /** Bytes just taken from the input. */
  private body(tx: HttpTransaction, data: Uint8Array): void {
    this.bodies.add(tx, data, this.fedTo - this.input.left - data.length);
  }

  private complete(): void {
    this.bodies.close();
    this.tx?.step(1, HTTP_PROGRESS.DONE);
    this.tx = undefined;
  }

  private fail(event: string | undefined): void {
    if (event !== undefined) this.tx?.note(event);
    this.complete();
    this.state = 'failed';
  }
}
