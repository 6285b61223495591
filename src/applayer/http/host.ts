import { isIPv6 } from 'node:net';

/** What `htp_parse_hostport` finds in a Host header or in the authority of a URI. */
interface HostPort {
  host: string | undefined;
  /** -1 when none is given. */
  port: number;
  isValid: boolean;
}

const MAX_HOST = 255;
const MAX_LABEL = 63;

function parseHostPort(text: string): HostPort {
  const trimmed = text.trim();
  const nothing: HostPort = { host: undefined, port: -1, isValid: false };
  if (trimmed === '') return nothing;
  const isV6 = trimmed.startsWith('[');
  const mark = trimmed.indexOf(isV6 ? ']' : ':');
  if (isV6 && mark < 0) return nothing;
  const end = isV6 ? mark + 1 : mark < 0 ? trimmed.length : mark;
  const host = trimmed.slice(0, end).trimEnd().toLowerCase();
  const rest = trimmed.slice(end);
  if (rest === '') return { host, port: -1, isValid: true };
  const port = /^:\s*(\d{1,9})\s*$/.exec(rest);
  const number = port === null ? -1 : Number(port[1]);
  const isPort = number > 0 && number < 65_536;
  return { host, port: isPort ? number : -1, isValid: isPort };
}

/** A name of labels of letters, digits, hyphens and underscores, or an IPv6 address in brackets. */
function isHostname(host: string): boolean {
  if (host.length === 0 || host.length > MAX_HOST) return false;
  if (host.startsWith('[')) return host.endsWith(']') && isIPv6(host.slice(1, -1));
  return host.split('.').every((label, i, all) => {
    // One dot at the end is that of the root.
    if (label === '') return i > 0 && i === all.length - 1;
    return label.length <= MAX_LABEL && /^[a-z0-9_-]+$/.test(label);
  });
}

/** The authority of a request's target: behind the scheme, or all of it for CONNECT; undefined when it is a path. */
function authorityOf(uri: string, isConnect: boolean): string | undefined {
  if (isConnect) return uri;
  const found = /^[^/:]*:\/\/(?!\/)([^/?#]*)/.exec(uri)?.[1];
  if (found === undefined) return undefined;
  const at = found.indexOf('@');
  const host = at < 0 ? found : found.slice(at + 1);
  return host.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** Without the dot of the root. */
const bare = (host: string | undefined): string | undefined => host?.replace(/(?<=.)\.$/, '');

/**
 * Anomalies of a request's host, as libhtp tells them: absent, no host name, or one in the target and another in the header.
 * @param header value of the Host header, undefined without one.
 */
export function hostEvents(
  uri: string,
  request: { isConnect: boolean; needsHost: boolean },
  header: string | undefined,
): string[] {
  const events: string[] = [];
  const authority = authorityOf(uri, request.isConnect);
  const target = authority === undefined ? undefined : parseHostPort(authority);
  const hasTarget = target?.host !== undefined;
  if (hasTarget && (!target.isValid || !isHostname(target.host!))) events.push('request_uri_host_invalid');
  if (header === undefined) {
    if (request.needsHost) events.push('missing_host_header');
    return events;
  }
  const named = parseHostPort(header);
  if (!named.isValid || (named.host !== undefined && !isHostname(named.host)))
    events.push('request_header_host_invalid');
  if (!hasTarget) return events;
  const differs =
    bare(named.host) !== bare(target.host) || (target.port > 0 && named.port > 0 && target.port !== named.port);
  if (differs) events.push('host_header_ambiguous');
  return events;
}
