import { Collected, bytesOf, latin1 } from '../http/bytes.js';
import { Base64Stream, decodeQuotedLine } from './transfer.js';

/** A part of a mail that is a file. */
export interface MailFile {
  name: Uint8Array;
  data: Collected;
}

export interface MailLimits {
  fileBytes: number;
  files: number;
  /** Header fields of one mail. */
  fields: number;
  urls: number;
}

interface Entity {
  headers: Map<string, string>;
  boundary: string | undefined;
  /** A line with it was seen. */
  isOpen: boolean;
  /** 7bit, base64 or quoted-printable. */
  base64: Base64Stream | undefined;
  isQuoted: boolean;
  isText: boolean;
  file: MailFile | undefined;
}

const MAX_DEPTH = 16;
const MAX_HEADER_CHARS = 8192;
/** Characters that Suricata takes for usual at most: of a boundary, a field's name, its value, a file's name, lines. */
const MAX_BOUNDARY = 254;
const MAX_NAME = 75;
const MAX_VALUE = 2000;
const MAX_FILE_NAME = 255;
const MAX_LINE = 998;
const MAX_ENCODED_LINE = 76;
const URL_PATTERN = /\b(?:https?|ftp):\/\/[^\s"'<>)\]]{1,1024}/gi;

/** Reads a mail line by line (RFC 5322, RFC 2045-2047): header fields, attached files, links. */
export class MimeReader {
  readonly files: MailFile[] = [];
  readonly urls: Uint8Array[] = [];
  /** Fields of the mail itself, names in lower case; the first of each, `received` all. */
  readonly fields = new Map<string, Uint8Array>();
  readonly received: Uint8Array[] = [];
  readonly events: (event: string) => void;
  private readonly limits: MailLimits;
  private readonly stack: Entity[] = [];
  private current: Entity = newEntity();
  private inHeader = true;
  private pending = '';
  private count = 0;
  /** Bytes of the value of the field that is read. */
  private fieldBytes = 0;

  constructor(limits: MailLimits, note: (event: string) => void) {
    this.limits = limits;
    this.events = note;
  }

  /** One line without its end; dots at its beginning are as they came, one too many. */
  line(raw: Uint8Array): void {
    const line = raw.length > 1 && raw[0] === 46 && raw[1] === 46 ? raw.subarray(1) : raw;
    if (line.length > MAX_LINE) this.events('mime_long_line');
    if (line.length >= 2 && line[0] === 45 && line[1] === 45 && this.boundary(latin1(line))) return;
    if (this.inHeader) this.headerLine(latin1(line));
    else this.bodyLine(line);
  }

  end(): void {
    if (this.inHeader) this.field();
    this.current.base64?.end();
    // The line that closes the parts never came.
    if (this.stack.some((e) => e.isOpen)) this.events('mime_malformed_msg');
  }

  private boundary(text: string): boolean {
    const line = text.trimEnd();
    for (let i = this.stack.length - 1; i >= 0; i--) {
      const mark = this.stack[i]!.boundary;
      if (mark === undefined || !line.startsWith(`--${mark}`)) continue;
      const rest = line.slice(2 + mark.length);
      if (rest !== '' && rest !== '--') continue;
      if (this.inHeader) this.field();
      this.current.base64?.end();
      this.stack[i]!.isOpen = true;
      this.stack.length = rest === '--' ? i : i + 1;
      this.current = newEntity();
      this.inHeader = rest === '';
      return true;
    }
    return false;
  }

  private headerLine(text: string): void {
    if (text === '') {
      this.field();
      this.openBody();
      return;
    }
    if (/^[ \t]/.test(text)) {
      this.fieldBytes += text.length;
      if (this.fieldBytes > MAX_VALUE) this.events('mime_long_header_value');
      if (this.pending.length < MAX_HEADER_CHARS) this.pending += ` ${text.trim()}`;
      return;
    }
    this.field();
    this.pending = text.slice(0, MAX_HEADER_CHARS);
    const colon = text.indexOf(':');
    this.fieldBytes = colon < 0 ? 0 : text.length - colon - 1;
    if (colon > MAX_NAME) this.events('mime_long_header_name');
    if (this.fieldBytes > MAX_VALUE) this.events('mime_long_header_value');
  }

  /** The field that is complete. */
  private field(): void {
    const text = this.pending;
    this.pending = '';
    if (text === '') return;
    const colon = text.indexOf(':');
    if (colon <= 0) return;
    if (++this.count > this.limits.fields) return;
    const name = text.slice(0, colon).trim().toLowerCase();
    const value = text.slice(colon + 1).trim();
    if (!this.current.headers.has(name)) this.current.headers.set(name, value);
    if (this.stack.length > 0) return;
    if (name === 'received') this.received.push(bytesOf(value));
    else if (!this.fields.has(name)) this.fields.set(name, bytesOf(value));
  }

  private openBody(): void {
    const { headers } = this.current;
    const type = headers.get('content-type') ?? 'text/plain';
    this.inHeader = false;
    if (/^message\/rfc822/i.test(type) && this.stack.length < MAX_DEPTH) {
      this.current = newEntity();
      this.inHeader = true;
      return;
    }
    if (/^multipart\//i.test(type)) {
      const mark = parameter(type, 'boundary');
      if (mark !== undefined && mark.length > MAX_BOUNDARY) {
        this.events('mime_long_boundary');
        this.events('mime_parse_failed');
      } else if (mark !== undefined && mark !== '' && this.stack.length < MAX_DEPTH) {
        this.current.boundary = mark;
        this.stack.push(this.current);
        this.current = newEntity();
      }
      return;
    }
    const encoding = (headers.get('content-transfer-encoding') ?? '').toLowerCase();
    this.current.isQuoted = encoding.startsWith('quoted-printable');
    this.current.isText = /^text\//i.test(type);
    this.openFile(type);
    if (encoding.startsWith('base64')) this.current.base64 = new Base64Stream((d) => this.decoded(d));
  }

  private openFile(type: string): void {
    const disposition = this.current.headers.get('content-disposition') ?? '';
    const name = parameter(disposition, 'filename') ?? parameter(type, 'name');
    if (name === undefined && !/^attachment/i.test(disposition)) return;
    if (name !== undefined && name.length > MAX_FILE_NAME) this.events('mime_long_filename');
    if (this.files.length >= this.limits.files) return;
    this.current.file = { name: bytesOf(name ?? ''), data: new Collected(this.limits.fileBytes) };
    this.files.push(this.current.file);
  }

  private bodyLine(line: Uint8Array): void {
    const { base64, isQuoted } = this.current;
    if ((base64 !== undefined || isQuoted) && line.length > MAX_ENCODED_LINE) this.events('mime_long_enc_line');
    if (this.current.base64) this.current.base64.push(line);
    else if (this.current.isQuoted) this.decoded(decodeQuotedLine(line, () => this.events('mime_invalid_qp')));
    else {
      this.decoded(line);
      this.decoded(LINE_END);
    }
  }

  private decoded(data: Uint8Array): void {
    const { file, isText } = this.current;
    file?.data.add(data);
    if (!isText || this.urls.length >= this.limits.urls) return;
    for (const [url] of latin1(data).matchAll(URL_PATTERN)) {
      if (this.urls.length >= this.limits.urls) return;
      this.urls.push(bytesOf(url.replace(/^\w+:\/\//, '')));
    }
  }
}

const LINE_END = bytesOf('\r\n');

function newEntity(): Entity {
  return {
    headers: new Map(),
    boundary: undefined,
    isOpen: false,
    base64: undefined,
    isQuoted: false,
    isText: false,
    file: undefined,
  };
}

/** `; name="value"`, also in pieces (RFC 2231). */
export function parameter(header: string, name: string): string | undefined {
  const m = new RegExp(`;\\s*${name}(?:\\*0?\\*?)?\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|([^;\\s]*))`, 'i').exec(header);
  return m ? (m[1] ?? m[2] ?? '').replace(/\\(.)/g, '$1') : undefined;
}
