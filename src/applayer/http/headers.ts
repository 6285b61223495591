import { bytesOf, chomp, concat, isSpace, latin1, trim } from './bytes.js';
import { headerKey } from './header-key.js';

export interface Header {
  name: Uint8Array;
  /** Lower case, without NUL bytes. */
  key: string;
  value: Uint8Array;
  repeats: number;
}

const COLON = 58;
const MAX_HEADERS = 1024;
const MAX_REPEATS = 64;

/** The header fields of one message, in order; fields of one name are joined as `first, second`. */
export class Headers {
  readonly list: Header[] = [];
  private readonly byKey = new Map<string, Header>();

  get(key: string): Uint8Array | undefined {
    return this.byKey.get(key)?.value;
  }

  text(key: string): string | undefined {
    const value = this.get(key);
    return value && latin1(value);
  }

  clear(): void {
    this.list.length = 0;
    this.byKey.clear();
  }

  /** Adds an unfolded header line, which is kept: it has to be a copy. @returns an anomaly's name or undefined. */
  add(line: Uint8Array): string | undefined {
    const d = chomp(line);
    const colon = d.indexOf(COLON);
    let nameEnd = Math.max(0, colon);
    while (nameEnd > 0 && isSpace(d[nameEnd - 1]!)) nameEnd--;
    const name = d.subarray(0, nameEnd);
    const value = trim(d, colon + 1);
    const key = headerKey(name);
    const existing = this.byKey.get(key);
    if (existing !== undefined) return this.repeat(existing, value);
    if (this.list.length >= MAX_HEADERS) return 'too_many_headers';
    const header = { name, key, value, repeats: 0 };
    this.list.push(header);
    this.byKey.set(key, header);
    if (colon < 0) return 'field_missing_colon';
    return undefined;
  }

  private repeat(existing: Header, value: Uint8Array): string | undefined {
    existing.repeats++;
    if (existing.key === 'content-length') {
      return parseLength(existing.value) === parseLength(value) ? undefined : 'ambiguous_content_length';
    }
    if (existing.repeats > MAX_REPEATS) return 'header_repetition';
    existing.value = concat(concat(existing.value, bytesOf(', ')), value);
    return undefined;
  }

  /** All but `exclude`, one a line, as `http.header` shows them. */
  joined(exclude: string): Uint8Array {
    let length = 0;
    for (const h of this.list) if (h.key !== exclude) length += h.name.length + h.value.length + AROUND;
    const out = new Uint8Array(length);
    let at = 0;
    for (const h of this.list) {
      if (h.key === exclude) continue;
      out.set(h.name, at);
      out.set(SEPARATOR, (at += h.name.length));
      out.set(h.value, (at += SEPARATOR.length));
      out.set(LINE_END, (at += h.value.length));
      at += LINE_END.length;
    }
    return out;
  }

  each(): Uint8Array[] {
    return this.list.map((h) => Buffer.concat([h.name, SEPARATOR, h.value]));
  }

  /** `\r\nHost\r\nAccept\r\n\r\n`. */
  names(): Uint8Array {
    const parts: Uint8Array[] = [LINE_END];
    for (const h of this.list) parts.push(h.name, LINE_END);
    parts.push(LINE_END);
    return Buffer.concat(parts);
  }
}

const SEPARATOR = bytesOf(': ');
const LINE_END = bytesOf('\r\n');
const AROUND = SEPARATOR.length + LINE_END.length;

/** A length as browsers read it: the first digits, whatever stands around them; -1 without. */
export function parseLength(value: Uint8Array): number {
  const digits = /\d+/.exec(latin1(value));
  if (digits === null) return -1;
  const length = Number(digits[0]);
  return Number.isSafeInteger(length) ? length : -1;
}
