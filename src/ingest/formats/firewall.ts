import {
  address, clean, FORMAT_GID, idOf, IGNORED, isDenial, MALFORMED, port, protocol, severityOfName, slug, type Finding,
  type Parsed,
} from '../finding.js'; // prettier-ignore

type Denial = Pick<Finding, 'srcIp' | 'srcPort' | 'dstIp' | 'dstPort' | 'proto'> & { product: string; gid: number };

/** A connection that another firewall refused: no proof of anything by itself, worth counting. */
function denial(facts: Denial, what: string): Parsed {
  return {
    kind: 'finding',
    finding: {
      ...facts,
      signatureId: 1,
      rev: 1,
      title: `Refused by ${facts.product}`,
      category: 'Firewall denial',
      label: 'firewall_denial',
      severity: 'low',
      isEstablished: false,
      action: clean(what, 32),
    },
  };
}

/**
 * The kernel's log of an nftables or iptables rule: `PREFIX IN=eth0 OUT= MAC=... SRC=... DST=... PROTO=TCP SPT=.. DPT=..`.
 * The kernel does not say what the rule does; only the prefix can: it must name a refusal (drop, deny, reject, block).
 */
export function parseNetfilter(message: string): Parsed {
  const at = message.search(/\bIN=\S{0,15} OUT=/);
  if (at < 0) return MALFORMED;
  const prefix = message
    .slice(Math.max(0, at - 128), at)
    .replace(/^.*kernel:/, '')
    .replace(/^\s*\[[\d. ]+\]/, '');
  const field = (name: string): string | undefined => new RegExp(`\\b${name}=(\\S+)`).exec(message.slice(at))?.[1];
  const srcIp = address(field('SRC'));
  const dstIp = address(field('DST'));
  if (srcIp === undefined || dstIp === undefined) return MALFORMED;
  if (!isDenial(prefix.replaceAll(/[_-]/g, ' '))) return IGNORED;
  const ports = { srcPort: port(field('SPT')), dstPort: port(field('DPT')) };
  const facts = { srcIp, dstIp, ...ports, proto: protocol(field('PROTO')) };
  return denial({ ...facts, product: 'netfilter', gid: FORMAT_GID.netfilter }, prefix.trim());
}

/** pf's filterlog (pfSense, OPNsense): comma-separated, one form for IPv4 and one for IPv6. */
export function parseFilterlog(message: string): Parsed {
  const fields = message.split(',', 40);
  const [, , , , , , action, , version] = fields;
  if (fields.length < 17 || action === undefined || !/^(pass|block|match|rdr|nat|binat|scrub|unkn)/.test(action))
    return MALFORMED;
  if (action !== 'block') return IGNORED;
  const v6 = version === '6';
  const [proto, src, dst, spt, dpt] = v6
    ? [fields[13], fields[15], fields[16], fields[17], fields[18]]
    : [fields[15], fields[18], fields[19], fields[20], fields[21]];
  const srcIp = address(src);
  const dstIp = address(dst);
  if (srcIp === undefined || dstIp === undefined) return MALFORMED;
  const number = protocol(proto);
  const hasPorts = number === 6 || number === 17 || number === 132;
  const ports = hasPorts ? { srcPort: port(spt), dstPort: port(dpt) } : { srcPort: 0, dstPort: 0 };
  return denial({ srcIp, dstIp, ...ports, proto: number, product: 'pf', gid: FORMAT_GID.filterlog }, action);
}

/** `key=value` and `key="value"` of FortiGate. */
function pairs(message: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const m of message.matchAll(/(?:^|\s)([a-zA-Z_][a-zA-Z0-9_]{0,40})=(?:"([^"]*)"|(\S*))/g)) {
    if (found.size >= 200) break;
    if (!found.has(m[1]!)) found.set(m[1]!, m[2] ?? m[3] ?? '');
  }
  return found;
}

/** FortiGate: refused traffic, and what its intrusion prevention, anti-virus and web filter found. */
export function parseFortigate(message: string): Parsed {
  const f = pairs(message);
  const type = f.get('type') ?? '';
  const action = f.get('action') ?? '';
  const srcIp = address(f.get('srcip'));
  const dstIp = address(f.get('dstip'));
  if (type === '' || f.get('logid') === undefined) return MALFORMED;
  if (srcIp === undefined || dstIp === undefined) return IGNORED;
  const ports = { srcPort: port(f.get('srcport')), dstPort: port(f.get('dstport')) };
  const base = { srcIp, dstIp, ...ports, proto: protocol(f.get('proto')) };
  const device = clean(f.get('devname'), 64);
  // Nanoseconds in newer versions, seconds in older ones.
  const eventTime = /^(\d{10})(\d{9})?$/.exec(f.get('eventtime') ?? '');
  const when = eventTime ? { atMs: Number(eventTime[1]) * 1000 } : {};
  if (type === 'traffic') {
    if (!isDenial(action)) return IGNORED;
    const refused = denial({ ...base, product: 'FortiGate', gid: FORMAT_GID.fortigate }, action);
    return refused.kind === 'finding' ? { ...refused, finding: { ...refused.finding, ...when, device } } : refused;
  }
  if (type !== 'utm' && type !== 'anomaly') return IGNORED;
  const subtype = clean(f.get('subtype'), 32);
  const title = clean(f.get('attack') ?? f.get('virus') ?? f.get('msg') ?? subtype) || 'FortiGate finding';
  const attackId = Number(f.get('attackid'));
  const level = f.get('severity') ?? f.get('crlevel') ?? f.get('level') ?? '';
  return {
    kind: 'finding',
    finding: {
      ...base,
      ...when,
      product: 'FortiGate',
      gid: FORMAT_GID.fortigate,
      signatureId: Number.isSafeInteger(attackId) && attackId > 1 ? attackId : idOf(`${subtype}|${title}`),
      rev: 1,
      title,
      category: `FortiGate ${subtype}`.trim(),
      label: slug(`fortigate ${subtype}`, 'fortigate'),
      severity: severityOfName(level, 'medium'),
      isEstablished: false,
      action: clean(action, 32),
      device,
    },
  };
}
