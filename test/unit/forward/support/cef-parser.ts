/** A CEF message as a strict reader of the standard sees it. */
export interface ParsedCef {
  version: number;
  header: { vendor: string; product: string; version: string; classId: string; name: string; severity: string };
  extensions: Map<string, string>;
}

/**
 * Strict reader written from the CEF implementation standard: in the header only `\\` and `\|` are escapes, in
 * values only `\\`, `\=`, `\n` and `\r`; an equals sign that is not escaped ends a key; nothing else is accepted.
 */
export function parseCef(line: string): ParsedCef {
  if (/[\r\n\u0000]/.test(line)) throw new Error('raw control character');
  const { fields, rest } = splitHeader(line);
  const start = /^CEF:([01])$/.exec(fields[0] ?? '');
  if (!start) throw new Error(`not CEF: ${fields[0] ?? ''}`);
  const [, vendor, product, version, classId, name, severity] = fields as [string, ...string[]];
  if (!/^([0-9]|10)$/.test(severity ?? '')) throw new Error(`severity ${severity ?? ''}`);
  return {
    version: Number(start[1]),
    header: {
      vendor: vendor!,
      product: product!,
      version: version!,
      classId: classId!,
      name: name!,
      severity: severity!,
    },
    extensions: parseExtensions(rest),
  };
}

function splitHeader(line: string): { fields: string[]; rest: string } {
  const fields: string[] = [];
  let field = '';
  let i = 0;
  for (; i < line.length && fields.length < 7; i++) {
    const c = line[i]!;
    if (c === '\\') {
      const next = line[++i];
      if (next !== '\\' && next !== '|') throw new Error(`header escape \\${next ?? ''}`);
      field += next;
    } else if (c === '|') {
      fields.push(field);
      field = '';
    } else {
      field += c;
    }
  }
  if (fields.length !== 7) throw new Error('header has fewer than seven fields');
  return { fields, rest: line.slice(i) };
}

function parseExtensions(text: string): Map<string, string> {
  const equals: number[] = [];
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '=') equals.push(i);
  }
  const out = new Map<string, string>();
  const keyStart = (at: number): number => text.lastIndexOf(' ', at) + 1;
  equals.forEach((at, n) => {
    const key = text.slice(keyStart(at), at);
    if (!/^[A-Za-z][A-Za-z0-9]*$/.test(key)) throw new Error(`key "${key}"`);
    if (out.has(key)) throw new Error(`key ${key} twice`);
    const next = equals[n + 1];
    const value = text.slice(at + 1, next === undefined ? text.length : keyStart(next) - 1);
    if (value === '' || value !== value.trim()) throw new Error(`value of ${key} is empty or has outer spaces`);
    out.set(key, unescapeValue(value));
  });
  return out;
}

function unescapeValue(value: string): string {
  return value.replace(/\\([^]?)/g, (_all, c: string) => {
    if (c === 'n') return '\n';
    if (c === 'r') return '\r';
    if (c === '\\' || c === '=') return c;
    throw new Error(`value escape \\${c}`);
  });
}
