import { PROGRESS_DONE, type AppTransaction, type BufferValue } from '../../domain/app-layer.js';
import type { Direction } from '../../domain/flow.js';
import { Collected, NOTHING, bytesOf, latin1 } from './bytes.js';
import { Headers } from './headers.js';
import { Rooms } from './rooms.js';
import type { ParsedUri } from './uri.js';

/** Steps of each side of an HTTP transaction; fields of a step are there when it is over. */
export const HTTP_PROGRESS = { NOTHING: 0, LINE: 1, HEADERS: 2, BODY: 3, TRAILER: 4, DONE: PROGRESS_DONE } as const;

/** What both sides of a transaction have. */
export class HttpMessage {
  progress = 0;
  line: Uint8Array | undefined;
  protocol: Uint8Array | undefined;
  readonly headers = new Headers();
  /** The connection ended before its headers did: Suricata has single ones then, and not all of them. */
  isCut = false;
  /** As they came, with the empty line. */
  readonly rawHeaders: Collected;
  readonly body: Collected;
  bodyBytes = 0;
  /** Position in the stream of the body's first byte; -1 when its bytes do not follow each other there, or are decoded. */
  bodyAt = -1;
  readonly cache = new Map<string, BufferValue | undefined>();

  constructor(headerBytes: number, bodyBytes: number, rooms: Rooms) {
    this.rawHeaders = new Collected(headerBytes, rooms);
    this.body = new Collected(bodyBytes, rooms);
  }

  get hasHeaders(): boolean {
    return this.progress > HTTP_PROGRESS.HEADERS;
  }
}

/** Headers and bodies of all connections share their memory. */
const ROOMS = new Rooms();
const LINE_END = bytesOf('\r\n');
/** Bytes of the longest path that a file can have. */
const MAX_FILE_NAME = 4096;
/** Anomalies of one connection that are told. */
const MAX_TOLD = 512;
const SINGLE_HEADERS: Readonly<Record<string, readonly [string, 0 | 1 | 2]>> = {
  'http.user_agent': ['user-agent', 0],
  'http.referer': ['referer', 0],
  'http.accept': ['accept', 0],
  'http.accept_enc': ['accept-encoding', 0],
  'http.accept_lang': ['accept-language', 0],
  'http.server': ['server', 1],
  'http.location': ['location', 1],
  'http.connection': ['connection', 2],
  'http.content_len': ['content-length', 2],
  'http.content_type': ['content-type', 2],
};

export class HttpTransaction implements AppTransaction {
  readonly proto = 'http';
  readonly id: number;
  readonly request: HttpMessage;
  readonly response: HttpMessage;
  readonly progress: [number, number] = [0, 0];
  readonly events: string[] = [];
  method: Uint8Array | undefined;
  uri: Uint8Array | undefined;
  parsedUri: ParsedUri | undefined;
  statCode: Uint8Array | undefined;
  statMsg: Uint8Array | undefined;
  status = -1;
  /** A request without a protocol: the answer is a body alone. */
  isSimple = false;
  /** Files inside a multipart request body. */
  file: Collected | undefined;
  fileName: string | undefined;
  hadContinue = false;
  private readonly noise: { told: number };

  /** @param noise anomalies of the connection so far. */
  constructor(
    id: number,
    sizes: { header: number; request: number; response: number },
    noise: { told: number } = { told: 0 },
  ) {
    this.id = id;
    this.noise = noise;
    this.request = new HttpMessage(sizes.header, sizes.request, ROOMS);
    this.response = new HttpMessage(sizes.header, sizes.response, ROOMS);
  }

  /** Nobody looks at the transaction any more: its headers and bodies are forgotten. */
  close(): void {
    for (const message of [this.request, this.response]) {
      message.rawHeaders.close();
      message.body.close();
    }
  }

  get methodText(): string {
    return this.method ? latin1(this.method) : '';
  }

  /** Tells an anomaly; a connection of very many is not worth the trouble any more. */
  note(event: string): void {
    if (this.events.includes(event) || this.noise.told > MAX_TOLD) return;
    this.events.push(++this.noise.told > MAX_TOLD ? 'too_many_warnings' : event);
  }

  step(direction: Direction, progress: number): void {
    this.progress[direction] = progress;
    (direction === 0 ? this.request : this.response).progress = progress;
  }

  number(name: string): number | undefined {
    if (name === 'http.stat_code') return this.status < 0 ? undefined : this.status;
    if (name === 'urilen') return this.parsedUri?.normalized.length;
    return undefined;
  }

  bodyPosition(direction: Direction): number {
    return direction === 1 ? this.response.bodyAt : -1;
  }

  bodyLength(direction: Direction): number {
    return (direction === 1 ? this.response : this.request).body.length;
  }

  buffer(name: string, direction: Direction): BufferValue | undefined {
    const message = direction === 0 ? this.request : this.response;
    switch (name) {
      case 'http.method':
        return this.method;
      case 'http.uri':
        return this.parsedUri?.normalized;
      case 'http.uri.raw':
        return this.uri;
      case 'http.request_line':
        return this.request.line;
      case 'http.response_line':
        return this.response.line;
      case 'http.protocol':
        return message.protocol;
      case 'http.stat_code':
        return this.statCode;
      case 'http.stat_msg':
        return this.statMsg;
      case 'http.request_body':
        return this.body(this.request);
      case 'http.response_body':
        return this.body(this.response);
      case 'file.data':
        return direction === 0 && this.file ? this.file.bytes : this.body(message);
    }
    if (!message.hasHeaders) return undefined;
    // A file is there when bytes of it are.
    if (name === 'file.name' && message.bodyBytes === 0) return undefined;
    const { cache } = message;
    if (cache.has(name)) return cache.get(name);
    const value = this.fromHeaders(name, direction, message);
    cache.set(name, value);
    return value;
  }

  private body(message: HttpMessage): Uint8Array | undefined {
    return message.body.bytes.length > 0 ? message.body.bytes : undefined;
  }

  private fromHeaders(name: string, direction: Direction, m: HttpMessage): BufferValue | undefined {
    const single = SINGLE_HEADERS[name];
    if (single !== undefined) {
      const [key, side] = single;
      return side === 2 || side === direction ? m.headers.get(key) : undefined;
    }
    switch (name) {
      case 'http.header':
        return m.isCut ? undefined : nonEmpty(m.headers.joined(direction === 0 ? 'cookie' : 'set-cookie'));
      case 'http.header.raw':
        return nonEmpty(m.rawHeaders.bytes);
      case 'http.header_names':
        return m.isCut || m.headers.list.length === 0 ? undefined : m.headers.names();
      case 'http.start':
        return Buffer.concat([m.line ?? NOTHING, LINE_END, m.rawHeaders.bytes]);
      case 'http.cookie':
        return m.headers.get(direction === 0 ? 'cookie' : 'set-cookie');
      case 'http.request_header':
        return direction === 0 ? m.headers.each() : undefined;
      case 'http.response_header':
        return direction === 1 ? m.headers.each() : undefined;
      case 'http.host':
        return direction === 0 ? this.host() : undefined;
      case 'http.host.raw':
        return direction === 0 ? this.request.headers.get('host') : undefined;
      case 'file.name':
        return this.nameOfFile(direction, m);
    }
    return undefined;
  }

  private host(): Uint8Array | undefined {
    const inUri = this.parsedUri?.hostname;
    if (inUri !== undefined && inUri !== '') return bytesOf(inUri);
    const header = this.request.headers.text('host');
    if (header === undefined) return undefined;
    return bytesOf(
      header
        .trim()
        .replace(/(^\[[^\]]*\]|^[^:]*):.*$/s, '$1')
        .replace(/\.$/, '')
        .toLowerCase(),
    );
  }

  /** A body begins: the file it is may have a name that is too long. */
  checkFileName(direction: Direction): void {
    const message = direction === 0 ? this.request : this.response;
    const size = this.uri === undefined || this.uri.length > MAX_FILE_NAME ? Infinity : message.rawHeaders.bytes.length;
    if (size <= MAX_FILE_NAME) return;
    const name = this.nameOfFile(direction, message);
    if (name !== undefined && name.length > MAX_FILE_NAME) this.note('file_name_too_long');
  }

  private nameOfFile(direction: Direction, m: HttpMessage): Uint8Array | undefined {
    if (direction === 0 && this.fileName !== undefined) return bytesOf(this.fileName);
    const disposition = m.headers.text('content-disposition');
    const given = disposition === undefined ? null : /filename="?([^";]*)/i.exec(disposition);
    if (given !== null) return bytesOf(given[1]!);
    return this.parsedUri === undefined ? undefined : nonEmpty(this.parsedUri.path);
  }
}

function nonEmpty(d: Uint8Array): Uint8Array | undefined {
  return d.length > 0 ? d : undefined;
}
