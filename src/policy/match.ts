import type { Alert } from '../domain/alert.js';
import { severityRank } from '../domain/severity.js';
import { cidrContains, parseCidr, parseIp, type Cidr } from '../util/ip.js';
import type { Policy, PolicyConditions } from './schema.js';

/** What conditions may ask beyond the alert itself. */
export interface MatchContext {
  nowMs: number;
  /** The operator's own networks. */
  homeNetworks: readonly Cidr[];
  /** Earlier decisions against the offender that are not forgotten. */
  offences: number;
}

export type AlertDirection = 'inbound' | 'outbound' | 'internal' | 'external';

const PROTO_NUMBER: Readonly<Record<string, number>> = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58, sctp: 132 };
const DAY_NAMES = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** Where the offender and its victim stand relative to the own networks. */
export function alertDirection(alert: Alert, homeNetworks: readonly Cidr[]): AlertDirection {
  const from = isIn(alert.offender, homeNetworks);
  const other = alert.victim ?? (alert.offender === alert.srcIp ? alert.dstIp : alert.srcIp);
  const to = isIn(other, homeNetworks);
  if (from) return to ? 'internal' : 'outbound';
  return to ? 'inbound' : 'external';
}

/**
 * Asks one policy about one alert.
 * @returns undefined when every condition holds, else the first that failed, for people.
 */
export function firstFailure(policy: Policy, alert: Alert, ctx: MatchContext): string | undefined {
  if (!policy.enabled) return 'the policy is disabled';
  for (const check of CHECKS) {
    const failed = check(policy.when, alert, ctx);
    if (failed !== undefined) return failed;
  }
  return undefined;
}

/** Every condition of the policy that does not hold, for people. */
export function allFailures(policy: Policy, alert: Alert, ctx: MatchContext): string[] {
  const failed = CHECKS.flatMap((check) => check(policy.when, alert, ctx) ?? []);
  return policy.enabled ? failed : ['the policy is disabled', ...failed];
}

type Check = (when: PolicyConditions, alert: Alert, ctx: MatchContext) => string | undefined;

const CHECKS: readonly Check[] = [
  (w, a) =>
    w.tiers && !w.tiers.some((t) => a.tiers.includes(t))
      ? `tiers ${a.tiers.join(', ')} not in ${w.tiers.join(', ')}`
      : undefined,
  (w, a) =>
    w.min_tiers && a.tiers.length < w.min_tiers ? `${a.tiers.length} tier(s) agree, ${w.min_tiers} needed` : undefined,
  (w, a) =>
    w.labels && !w.labels.some((l) => wildcard(l, a.label))
      ? `label ${a.label} not in ${w.labels.join(', ')}`
      : undefined,
  (w, a) =>
    w.min_severity && severityRank(a.severity) < severityRank(w.min_severity)
      ? `severity ${a.severity} below ${w.min_severity}`
      : undefined,
  (w, a) =>
    w.min_confidence !== undefined && a.confidence < w.min_confidence
      ? `confidence ${a.confidence.toFixed(2)} < ${w.min_confidence}`
      : undefined,
  (w, a) =>
    w.min_score !== undefined && a.score < w.min_score ? `score ${a.score.toFixed(2)} < ${w.min_score}` : undefined,
  signatureFailure,
  (w, a, c) => {
    if (!w.direction) return undefined;
    const direction = alertDirection(a, c.homeNetworks);
    return w.direction.includes(direction) ? undefined : `direction ${direction} not in ${w.direction.join(', ')}`;
  },
  (w, a) => networkFailure('offender', a.offender, w.sources, w.not_sources),
  (w, a) => networkFailure('victim', a.victim ?? a.dstIp, w.targets, w.not_targets),
  (w, a) => {
    if (!w.ports) return undefined;
    const ports = a.ports.length > 0 ? a.ports : [a.dstPort];
    return ports.some((p) => w.ports?.some((r) => p >= r.from && p <= r.to))
      ? undefined
      : `no destination port in the list (${ports.slice(0, 5).join(', ')})`;
  },
  (w, a) =>
    w.protocols && !w.protocols.some((p) => PROTO_NUMBER[p] === a.proto)
      ? `protocol ${a.proto} not in ${w.protocols.join(', ')}`
      : undefined,
  timeFailure,
  (w, a) => (w.min_count && a.count < w.min_count ? `seen ${a.count} time(s), ${w.min_count} needed` : undefined),
  (w, _a, c) =>
    w.min_offences && c.offences < w.min_offences
      ? `${c.offences} earlier offence(s), ${w.min_offences} needed`
      : undefined,
  (w, a) =>
    w.intel !== undefined && w.intel !== a.tiers.includes('intel')
      ? w.intel
        ? 'threat intelligence does not know it'
        : 'threat intelligence knows it'
      : undefined,
  (w, a) =>
    w.spoofable !== undefined && w.spoofable !== a.spoofable
      ? w.spoofable
        ? 'the source proved its address'
        : 'the source has not proved its address'
      : undefined,
];

function signatureFailure(when: PolicyConditions, alert: Alert): string | undefined {
  const s = when.signature;
  if (!s) return undefined;
  if (s.ids && !s.ids.includes(alert.signatureId)) return `signature ${alert.signatureId} not in the list`;
  if (s.categories && !s.categories.some((c) => wildcard(c, alert.category)))
    return `category "${alert.category}" not in the list`;
  const action = alert.metadata['rule_action']?.[0] ?? 'alert';
  if (s.actions && !s.actions.some((a) => a === action)) return `rule action ${action} not in ${s.actions.join(', ')}`;
  for (const [key, wanted] of Object.entries(s.metadata ?? {})) {
    const have = alert.metadata[key] ?? [];
    if (!wanted.some((v) => have.includes(v))) return `metadata ${key} is ${have.join(', ') || 'absent'}`;
  }
  return undefined;
}

function networkFailure(
  what: string,
  address: string,
  within?: readonly string[],
  outside?: readonly string[],
): string | undefined {
  if (within && !isInText(address, within)) return `${what} ${address} is outside the networks`;
  if (outside && isInText(address, outside)) return `${what} ${address} is in an excluded network`;
  return undefined;
}

function timeFailure(when: PolicyConditions, _alert: Alert, ctx: MatchContext): string | undefined {
  const t = when.time;
  if (!t) return undefined;
  const now = new Date(ctx.nowMs);
  const minute = now.getHours() * 60 + now.getMinutes();
  const from = t.from ?? 0;
  const to = t.to ?? 1440;
  const inside = from <= to ? minute >= from && minute < to : minute >= from || minute < to;
  if (!inside) return 'outside the time of day';
  // After midnight it is still the range of the day on which it began.
  const day = DAY_NAMES[(now.getDay() + (from > to && minute < to ? 6 : 7)) % 7] ?? '';
  return t.days && !t.days.some((d) => d === day) ? `its day (${day}) is not in ${t.days.join(', ')}` : undefined;
}

function wildcard(pattern: string, text: string): boolean {
  if (!pattern.includes('*')) return pattern === text;
  const parts = pattern.split('*').map((p) => p.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(text);
}

function isIn(address: string, networks: readonly Cidr[]): boolean {
  const ip = parseIp(address);
  return ip !== undefined && networks.some((n) => cidrContains(n, ip));
}

function isInText(address: string, networks: readonly string[]): boolean {
  const cidrs = networks.map(parseCidr).filter((c) => c !== undefined);
  return isIn(address, cidrs);
}
