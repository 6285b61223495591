import { bytesOf, chomp, concat, isSpace, latin1, trim } from './bytes.js';
import { headerKey } from './header-key.js';

export interface Header {
  name: Uint8Array;
  /** Lower case, without NUL bytes. */
  key: string;
  value: Uint8Array;
  repeats: number;
}

/** What is wrong with a header line. */
export type HeaderAnomaly =
  | 'field_missing_colon'
  | 'header_invalid'
  | 'duplicate_content_length'
  | 'invalid_folding'
  | 'field_too_long'
  | 'too_many_headers';

/** The name of an anomaly as `app-layer-event` has it. */
export function headerEvent(side: 'request' | 'response', anomaly: HeaderAnomaly): string {
  if (anomaly === 'duplicate_content_length') return `duplicate_content_length_field_in_${side}`;
  return anomaly === 'invalid_folding' ? `invalid_${side}_field_folding` : `${side}_${anomaly}`;
}

const COLON = 58;
/** Fields of one message; as many as libhtp takes. */
const MAX_HEADERS = 1024;
const MAX_REPEATS = 64;

/** Characters of a field's name (RFC 9110 5.6.2). */
const TOKEN = new Uint8Array(256);
for (const c of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
  TOKEN[c.charCodeAt(0)] = 1;

function isToken(name: Uint8Array): boolean {
  for (const c of name) if (TOKEN[c] === 0) return false;
  return true;
}

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

  /** Adds an unfolded header line, which is kept: it has to be a copy. @returns an anomaly or undefined. */
  add(line: Uint8Array): HeaderAnomaly | undefined {
    const d = chomp(line);
    const colon = d.indexOf(COLON);
    let nameEnd = Math.max(0, colon);
    while (nameEnd > 0 && isSpace(d[nameEnd - 1]!)) nameEnd--;
    const name = d.subarray(0, nameEnd);
    const value = trim(d, colon + 1);
    const key = headerKey(name);
    const existing = this.byKey.get(key);
    if (existing !== undefined) {
      if (this.repeat(existing, value)) return 'duplicate_content_length';
    } else if (this.list.length > MAX_HEADERS) return 'too_many_headers';
    else {
      const header = { name, key, value, repeats: 0 };
      this.list.push(header);
      this.byKey.set(key, header);
    }
    if (colon < 0) return 'field_missing_colon';
    // A line that should have been folded begins with a space, which is told already.
    return nameEnd === 0 || nameEnd < colon || !isToken(trim(name)) ? 'header_invalid' : undefined;
  }

  /** @returns true when two lengths of the content contradict each other. */
  private repeat(existing: Header, value: Uint8Array): boolean {
    existing.repeats++;
    if (existing.key === 'content-length') {
      const length = parseLength(value);
      return length < 0 || length !== parseLength(existing.value);
    }
    if (existing.repeats > MAX_REPEATS) return false;
    existing.value = concat(concat(existing.value, bytesOf(', ')), value);
    return false;
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
    let length = 2 * LINE_END.length;
    for (const h of this.list) length += h.name.length + LINE_END.length;
    const out = new Uint8Array(length);
    out.set(LINE_END);
    let at = LINE_END.length;
    for (const h of this.list) {
      out.set(h.name, at);
      out.set(LINE_END, (at += h.name.length));
      at += LINE_END.length;
    }
    out.set(LINE_END, at);
    return out;
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
