import {
  address, clean, FORMAT_GID, idOf, IGNORED, isPass, MALFORMED, port, protocol, severityOfName, severityOfTen, slug, unspecified,
  type Parsed,
} from '../finding.js'; // prettier-ignore

/** Fields of the extension at most; more is noise or an attack. */
const MAX_FIELDS = 200;

/** Splits `CEF:0|vendor|product|version|class|name|severity|extension`; `\|` and `\\` are escaped in the header. */
function splitHeader(text: string): string[] | undefined {
  const parts: string[] = [];
  let part = '';
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (c === '\\' && i + 1 < text.length) part += text[++i]!;
    else if (c !== '|') part += c;
    else {
      parts.push(part);
      part = '';
      if (parts.length === 7) return [...parts, text.slice(i + 1)];
    }
  }
  return undefined;
}

/** `key=value key=value`: a value reaches to the blank before the next key; `\=`, `\\`, `\n` are escapes. */
export function parseExtension(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  const keys = [...text.matchAll(/(?:^|\s)([A-Za-z][A-Za-z0-9_.-]{0,62})=/g)].slice(0, MAX_FIELDS);
  keys.forEach((match, i) => {
    const start = match.index + match[0].length;
    const value = text.slice(start, keys[i + 1]?.index ?? text.length);
    const plain = value.replaceAll(/\\([\\=|nr])/g, (_, c: string) => (c === 'n' || c === 'r' ? ' ' : c));
    if (!fields.has(match[1]!)) fields.set(match[1]!, plain.trim());
  });
  return fields;
}

/** One CEF message, with whatever stands in front of it. */
export function parseCef(message: string): Parsed {
  const start = message.search(/CEF:\s?\d\|/);
  if (start < 0) return MALFORMED;
  const header = splitHeader(message.slice(start));
  if (!header) return MALFORMED;
  const [, vendor = '', product = '', , classId = '', name = '', severityText = '', extension = ''] = header;
  const fields = parseExtension(extension);
  const srcIp = address(fields.get('src')) ?? address(fields.get('c6a2'));
  const dstIp = address(fields.get('dst')) ?? address(fields.get('c6a3'));
  const action = clean(fields.get('act'), 32);
  const severity = /^\d+$/.test(severityText.trim())
    ? severityOfTen(Number(severityText))
    : severityOfName(severityText.trim(), 'low');
  // Our own events, sent on by somebody: a circle.
  if (vendor === 'Portcullis') return IGNORED;
  if (isPass(action) && (severity === 'info' || severity === 'low')) return IGNORED;
  if (srcIp === undefined) return IGNORED;
  const rt = fields.get('rt') ?? '';
  const title = clean(name) || clean(classId) || 'CEF event';
  const category = clean(fields.get('cat'));
  const device = clean(fields.get('dvchost') ?? fields.get('dvc'), 64);
  const appProto = clean(fields.get('app'), 32);
  const numeric = /^(?:\d+:)?(\d{1,9})$/.exec(classId.trim());
  return {
    kind: 'finding',
    finding: {
      product: clean(`${vendor} ${product}`, 80),
      gid: FORMAT_GID.cef,
      signatureId: numeric ? Number(numeric[1]) : idOf(`${vendor}|${product}|${classId}`),
      rev: 1,
      title,
      category,
      label: slug(category || title, 'cef'),
      severity,
      srcIp,
      srcPort: port(fields.get('spt')),
      dstIp: dstIp ?? unspecified(srcIp),
      dstPort: port(fields.get('dpt')),
      proto: protocol(fields.get('proto')),
      isEstablished: false,
      ...(/^\d{13}$/.test(rt) ? { atMs: Number(rt) } : {}),
      ...(action === '' ? {} : { action }),
      ...(device === '' ? {} : { device }),
      ...(appProto === '' || protocol(appProto) > 0 ? {} : { appProto }),
    },
  };
}
