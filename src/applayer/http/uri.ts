const hexValue = new Int8Array(256).fill(-1);
for (let i = 0; i < 16; i++) {
  hexValue['0123456789abcdef'.charCodeAt(i)] = i;
  hexValue['0123456789ABCDEF'.charCodeAt(i)] = i;
}
const PERCENT = 37;
const SLASH = 47;
const BACKSLASH = 92;
const DOT = 46;

function hexByte(d: Uint8Array, at: number): number {
  const high = at < d.length ? hexValue[d[at]!]! : -1;
  const low = at + 1 < d.length ? hexValue[d[at + 1]!]! : -1;
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/** Code points above 255 in the nearest ASCII that servers take for it: full-width forms. */
function bestFit(code: number): number {
  if (code < 256) return code;
  if (code >= 0xff01 && code <= 0xff5e) return code - 0xfee0;
  if (code === 0x2215 || code === 0x2044) return SLASH;
  if (code === 0x2216) return BACKSLASH;
  return 63;
}

/** `%XX`, and `%uXXXX` as IIS reads it; broken encodings stay as they are. */
export function percentDecode(d: Uint8Array, isPath: boolean): Uint8Array {
  if (!d.includes(PERCENT) && (!isPath || (!d.includes(BACKSLASH) && !hasDoubleSlash(d)))) return d;
  const out = new Uint8Array(d.length);
  let n = 0;
  for (let at = 0; at < d.length; at++) {
    let c = d[at]!;
    if (c === PERCENT) {
      const isUnicode = d[at + 1] === 117 || d[at + 1] === 85;
      const high = isUnicode ? hexByte(d, at + 2) : -1;
      const low = isUnicode ? hexByte(d, at + 4) : hexByte(d, at + 1);
      if (isUnicode && high >= 0 && low >= 0) {
        c = bestFit(high * 256 + low);
        at += 5;
      } else if (!isUnicode && low >= 0) {
        c = low;
        at += 2;
      }
    }
    if (isPath && c === BACKSLASH) c = SLASH;
    if (isPath && c === SLASH && n > 0 && out[n - 1] === SLASH) continue;
    out[n++] = c;
  }
  return out.subarray(0, n);
}

function hasDoubleSlash(d: Uint8Array): boolean {
  for (let i = 1; i < d.length; i++) if (d[i] === SLASH && d[i - 1] === SLASH) return true;
  return false;
}

/** Multi-byte UTF-8 that stands for one of the first 256 characters, or a full-width form, becomes that character. */
function decodeUtf8(d: Uint8Array): Uint8Array {
  let first = 0;
  while (first < d.length && d[first]! < 0x80) first++;
  if (first === d.length) return d;
  const out: number[] = [...d.subarray(0, first)];
  for (let at = first; at < d.length;) {
    const c = d[at]!;
    const extra = c >= 0xc0 && c < 0xe0 ? 1 : c >= 0xe0 && c < 0xf0 ? 2 : c >= 0xf0 && c < 0xf8 ? 3 : 0;
    let code = extra === 0 ? c : c & (0x3f >> extra);
    let valid = extra > 0;
    for (let i = 1; i <= extra && valid; i++) {
      const next = at + i < d.length ? d[at + i]! : 0;
      if ((next & 0xc0) !== 0x80) valid = false;
      code = (code << 6) | (next & 0x3f);
    }
    if (!valid) {
      out.push(c);
      at++;
      continue;
    }
    out.push(bestFit(code));
    at += extra + 1;
  }
  return Uint8Array.from(out);
}

/** Dot segments (RFC 3986 5.2.4). */
function removeDotSegments(d: Uint8Array): Uint8Array {
  let hasDot = false;
  for (let i = 0; i < d.length && !hasDot; i++) hasDot = d[i] === DOT && (i === 0 || d[i - 1] === SLASH);
  if (!hasDot) return d;
  const out = new Uint8Array(d.length);
  let n = 0;
  for (let at = 0; at < d.length;) {
    const end = d.indexOf(SLASH, at + 1);
    const stop = end < 0 ? d.length : end;
    const begin = d[at] === SLASH ? at + 1 : at;
    const isDot = stop - begin === 1 && d[begin] === DOT;
    const isDotDot = stop - begin === 2 && d[begin] === DOT && d[begin + 1] === DOT;
    if (isDotDot) while (n > 0 && out[--n] !== SLASH);
    if (isDot || isDotDot) {
      if (stop === d.length && d[at] === SLASH) out[n++] = SLASH;
    } else {
      out.set(d.subarray(at, stop), n);
      n += stop - at;
    }
    at = stop;
  }
  return out.subarray(0, n);
}

export interface ParsedUri {
  /** Host in the URI, lower case, or undefined. */
  hostname: string | undefined;
  /** Path and query as `http.uri` shows them. */
  normalized: Uint8Array;
  /** The beginning of it without the query. */
  path: Uint8Array;
}

/** Takes a request target apart and normalises it as Suricata's default configuration of libhtp does. */
export function normalizeUri(raw: Uint8Array): ParsedUri {
  let at = 0;
  let hostname: string | undefined;
  if (raw[0] !== SLASH) {
    const text = Buffer.from(raw).toString('latin1');
    const scheme = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(text);
    if (scheme !== null) {
      hostname = scheme[1]!.replace(/^.*@/, '').replace(/:\d*$/, '').toLowerCase();
      at = scheme[0].length;
    }
  }
  const fragmentAt = raw.indexOf(35, at);
  const end = fragmentAt < 0 ? raw.length : fragmentAt;
  const queryAt = raw.indexOf(63, at);
  const pathEnd = queryAt < 0 || queryAt > end ? end : queryAt;
  const path = removeDotSegments(decodeUtf8(percentDecode(raw.subarray(at, pathEnd), true)));
  const query = percentDecode(raw.subarray(pathEnd, end), false);
  const normalized = new Uint8Array(path.length + query.length + raw.length - end);
  normalized.set(path);
  normalized.set(query, path.length);
  normalized.set(raw.subarray(end), path.length + query.length);
  return { hostname, normalized, path: normalized.subarray(0, path.length) };
}
