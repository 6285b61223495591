import type { AppTransaction, BufferValue } from '../../domain/app-layer.js';
import type { Direction } from '../../domain/flow.js';
import { bytesOf, Collected, latin1 } from '../http/bytes.js';
import type { BodyDecoder } from '../http/decode-body.js';
import { PROGRESS_DONE } from '../../domain/app-layer.js';
import type { Field } from './hpack.js';

/** What one side sent on a stream. */
export class Http2Message {
  readonly fields: Field[] = [];
  readonly body: Collected;
  decoder: BodyDecoder | undefined;
  bodyBytes = 0;

  constructor(bodyBytes: number) {
    this.body = new Collected(bodyBytes);
  }

  get(name: string): Uint8Array | undefined {
    const found = this.fields.filter((f) => latin1(f.name).toLowerCase() === name).map((f) => f.value);
    if (found.length <= 1) return found[0];
    return bytesOf(found.map(latin1).join(', '));
  }
}

const HEADERS: Readonly<Record<string, readonly [string, 0 | 1 | 2]>> = {
  'http.method': [':method', 0],
  'http.uri': [':path', 0],
  'http.uri.raw': [':path', 0],
  'http.user_agent': ['user-agent', 0],
  'http.referer': ['referer', 0],
  'http.accept': ['accept', 0],
  'http.accept_enc': ['accept-encoding', 0],
  'http.accept_lang': ['accept-language', 0],
  'http.stat_code': [':status', 1],
  'http.server': ['server', 1],
  'http.location': ['location', 1],
  'http.content_len': ['content-length', 2],
  'http.content_type': ['content-type', 2],
  'http.connection': ['connection', 2],
};
const PROTOCOL = bytesOf('HTTP/2');

/** One stream of an HTTP/2 connection: a request and its answer. */
export class Http2Transaction implements AppTransaction {
  readonly proto = 'http2';
  readonly id: number;
  readonly progress: [number, number] = [0, 0];
  readonly events: string[] = [];
  readonly messages: readonly [Http2Message, Http2Message];
  errorCode: number | undefined;
  /** What frames of each direction have said: `http2.frametype=TYPE`, `http2.settings=ID`, `http2.window`, ... */
  readonly numbers: readonly [Map<string, number>, Map<string, number>] = [new Map(), new Map()];
  /** A frame about the connection as a whole belongs to its sender alone. */
  declare readonly side?: Direction;

  constructor(id: number, bodyBytes: number, side?: Direction) {
    this.id = id;
    if (side !== undefined) this.side = side;
    this.messages = [new Http2Message(bodyBytes), new Http2Message(bodyBytes)];
  }

  note(event: string): void {
    if (!this.events.includes(event)) this.events.push(event);
  }

  finish(direction?: Direction): void {
    for (const d of direction === undefined ? ([0, 1] as const) : [direction]) {
      this.messages[d].decoder?.end();
      this.progress[d] = PROGRESS_DONE;
    }
  }

  number(name: string, direction?: Direction): number | undefined {
    if (name === 'http2.errorcode') return this.errorCode;
    if (name.startsWith('http2.')) return direction === undefined ? undefined : this.numbers[direction].get(name);
    if (name !== 'http.stat_code') return undefined;
    const status = this.messages[1].get(':status');
    return status && Number(latin1(status));
  }

  buffer(name: string, direction: Direction): BufferValue | undefined {
    const message = this.messages[direction];
    const single = HEADERS[name];
    if (single) {
      const [header, side] = single;
      return side === 2 || side === direction ? message.get(header) : undefined;
    }
    if (message.fields.length === 0) return undefined;
    const body = message.body.bytes.length > 0 ? message.body.bytes : undefined;
    switch (name) {
      case 'http.host':
      case 'http.host.raw':
        return this.host(name === 'http.host', direction);
      case 'http.protocol':
        return PROTOCOL;
      case 'http.header':
      case 'http.header.raw':
        return bytesOf(message.fields.map((f) => `${latin1(f.name)}: ${latin1(f.value)}\r\n`).join(''));
      case 'http.header_names':
        return bytesOf(`\r\n${message.fields.map((f) => `${latin1(f.name)}\r\n`).join('')}\r\n`);
      case 'http.cookie':
        return message.get(direction === 0 ? 'cookie' : 'set-cookie');
      case 'http.request_header':
        return direction === 0 ? each(message) : undefined;
      case 'http.response_header':
        return direction === 1 ? each(message) : undefined;
      case 'http2.header_name':
        return message.fields.map((f) => f.name);
      case 'http.request_body':
        return direction === 0 ? body : undefined;
      case 'http.response_body':
        return direction === 1 ? body : undefined;
      case 'file.data':
        return body;
    }
    return undefined;
  }

  private host(isNormal: boolean, direction: Direction): Uint8Array | undefined {
    if (direction !== 0) return undefined;
    const value = this.messages[0].get(':authority') ?? this.messages[0].get('host');
    if (value === undefined || !isNormal) return value;
    return bytesOf(
      latin1(value)
        .toLowerCase()
        .replace(/(^\[[^\]]*\]|^[^:]*):.*$/s, '$1'),
    );
  }
}

const each = (message: Http2Message): Uint8Array[] =>
  message.fields.map((f) => bytesOf(`${latin1(f.name)}: ${latin1(f.value)}`));
