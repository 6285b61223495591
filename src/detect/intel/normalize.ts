import { domainToASCII } from 'node:url';
import type { IndicatorType } from '../../domain/indicator.js';
import { cidrOverlaps, formatIp, parseCidr } from '../../util/ip.js';

/** A value in the one form in which indicators are stored and looked for. */
export interface NormalValue {
  type: IndicatorType;
  value: string;
}
export type Normalized = NormalValue | { rejected: string };

/** Wider prefixes than these are mistakes: a feed must not name half the internet. */
const WIDEST = { 4: 8, 6: 19 } as const;
const MAX_VALUE = 2048;

/** Networks that mean nothing on the internet (RFC 6890), so that a careless feed does not name one's own hosts. */
const SPECIAL = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '224.0.0.0/3',
  '::/128',
  '::1/128',
  'fc00::/7',
  'fe80::/10',
  'ff00::/8',
].map((text) => parseCidr(text)!);

/**
 * Reads a value as feeds write it: addresses and prefixes, names, URLs and fingerprints, also defanged
 * (`hxxp://example[.]org`).
 */
export function normalizeAny(text: string, allowPrivate = false): Normalized {
  const value = refang(text.trim());
  if (value === '' || value.length > MAX_VALUE) return { rejected: 'is empty or too long' };
  if (/^[0-9a-f]{64}$/i.test(value)) return { type: 'sha256', value: value.toLowerCase() };
  if (/^[0-9a-f]{32}$/i.test(value)) return { type: 'ja3', value: value.toLowerCase() };
  if (isJa4(value)) return { type: 'ja4', value };
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(value)) return normalizeUrl(value);
  if (/^[0-9a-f.:]+(\/\d{1,3})?$/i.test(value) && /[.:]/.test(value)) {
    // A port behind an IPv4 address says where it listened; the address is the indicator.
    const address = value.replace(/^(\d+\.\d+\.\d+\.\d+):\d{1,5}$/, '$1');
    // "dead.beef" is made of the same letters and is a name.
    if (parseCidr(address) || !/[a-z]/i.test(value)) return normalizeNetwork(address, allowPrivate);
  }
  return value.includes('/') ? normalizeUrl(`http://${value}`) : normalizeDomain(value);
}

/** @param allowPrivate for feeds about one's own networks. */
export function normalizeNetwork(text: string, allowPrivate = false): Normalized {
  const network = parseCidr(text);
  if (!network) return { rejected: 'is not an address' };
  if (network.prefix < WIDEST[network.version]) return { rejected: `is wider than /${WIDEST[network.version]}` };
  if (!allowPrivate && SPECIAL.some((special) => cidrOverlaps(special, network)))
    return { rejected: 'is not a public address' };
  const isHost = network.prefix === (network.version === 4 ? 32 : 128);
  const address = formatIp(network);
  return isHost ? { type: 'ip', value: address } : { type: 'cidr', value: `${address}/${network.prefix}` };
}

export function normalizeDomain(text: string): Normalized {
  const name = domainToASCII(text.replace(/^\*\.|\.$/g, '').toLowerCase());
  const labels = name.split('.');
  if (labels.length < 2 || name.length > 253 || !labels.every((l) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/.test(l)))
    return { rejected: 'is neither an address, a name, a URL nor a fingerprint' };
  return { type: 'domain', value: name };
}

/** Without scheme, user, default port and fragment, so that it compares with what is seen on the wire. */
export function normalizeUrl(text: string): Normalized {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return { rejected: 'is not a URL' };
  }
  if (!/^(https?|ftp):$/.test(url.protocol) || url.hostname === '') return { rejected: 'is a URL of another protocol' };
  return { type: 'url', value: urlKey(url.host, `${url.pathname}${url.search}`) };
}

/** How a request is looked for: host in lower case, then path and query as they are. */
export function urlKey(host: string, target: string): string {
  return `${host.toLowerCase().replace(/:(80|443)$/, '')}${target === '' ? '/' : target}`;
}

/** JA4 of a TLS client, e.g. t13d1516h2_8daaf6152771_b186095e22b6. */
function isJa4(text: string): boolean {
  return /^[tqd][0-9s][0-9][di]\d{4}[0-9a-z]{2}_[0-9a-f]{12}_[0-9a-f]{12}$/.test(text);
}

function refang(text: string): string {
  return text
    .replaceAll(/\[\.\]|\(\.\)|\[dot\]|\{\.\}/gi, '.')
    .replaceAll(/\[:\]/g, ':')
    .replace(/^hxxp/i, 'http')
    .replaceAll('[://]', '://');
}
