import {
  address, clean, FORMAT_GID, idOf, IGNORED, isPass, MALFORMED, port, protocol, severityOfName, severityOfTen, slug, unspecified,
  type Parsed,
} from '../finding.js'; // prettier-ignore

const MAX_FIELDS = 200;

/** The delimiter of LEEF 2.0: one character, or `x09` and `0x09` for its code. */
function delimiterOf(text: string): string {
  const hex = /^0?x([0-9a-f]{1,4})$/i.exec(text);
  if (hex) return String.fromCharCode(parseInt(hex[1]!, 16));
  return text.length === 1 ? text : '\t';
}

/** One LEEF message (1.0 and 2.0), with whatever stands in front of it. */
export function parseLeef(message: string): Parsed {
  const match = /LEEF:(1\.0|2\.0)\|([^|]*)\|([^|]*)\|([^|]*)\|([^|]*)\|/.exec(message);
  if (!match) return MALFORMED;
  const [head, version, vendor = '', product = '', , eventId = ''] = match;
  let rest = message.slice(match.index + head.length);
  let delimiter = '\t';
  const custom = version === '2.0' ? /^([^|=]{0,6})\|/.exec(rest) : null;
  if (custom) {
    delimiter = delimiterOf(custom[1]!);
    rest = rest.slice(custom[0].length);
  }
  const fields = new Map<string, string>();
  for (const pair of rest.split(delimiter, MAX_FIELDS)) {
    const at = pair.indexOf('=');
    if (at > 0) fields.set(pair.slice(0, at).trim(), pair.slice(at + 1).trim());
  }
  if (vendor === 'Portcullis') return IGNORED;
  const srcIp = address(fields.get('src'));
  if (srcIp === undefined) return IGNORED;
  const sev = fields.get('sev') ?? '';
  const severity = /^\d+$/.test(sev) ? severityOfTen(Number(sev)) : severityOfName(sev, 'low');
  const action = clean(fields.get('action') ?? fields.get('act'), 32);
  if (isPass(action) && (severity === 'info' || severity === 'low')) return IGNORED;
  const category = clean(fields.get('cat'));
  const title = clean(fields.get('signature') ?? fields.get('msg')) || clean(eventId) || 'LEEF event';
  const atMs = fields.get('devTime') ?? '';
  return {
    kind: 'finding',
    finding: {
      product: clean(`${vendor} ${product}`, 80),
      gid: FORMAT_GID.leef,
      signatureId: idOf(`${vendor}|${product}|${eventId}`),
      rev: 1,
      title,
      category,
      label: slug(category || eventId, 'leef'),
      severity,
      srcIp,
      srcPort: port(fields.get('srcPort')),
      dstIp: address(fields.get('dst')) ?? unspecified(srcIp),
      dstPort: port(fields.get('dstPort')),
      proto: protocol(fields.get('proto')),
      isEstablished: false,
      ...(/^\d{13}$/.test(atMs) ? { atMs: Number(atMs) } : {}),
      ...(action === '' ? {} : { action }),
    },
  };
}
