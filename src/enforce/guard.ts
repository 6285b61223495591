import type { AllowEntry, ProtectedEntry } from '../domain/decision.js';
import { formatDuration } from '../util/duration.js';
import { cidrContains, cidrOverlaps, parseCidr, type Cidr } from '../util/ip.js';
import type { KeptDecision } from './journal-record.js';
import type { EnforceOptions } from './options.js';

/** What the guard knows about the present. */
export interface GuardState {
  protected: readonly { network: Cidr; entry: ProtectedEntry }[];
  allowed: readonly { network: Cidr; entry: AllowEntry }[];
  elements: number;
  quarantined: number;
}

/** Reasons that make a prefix block refused even when it only contains the protected address. */
const NEVER_INSIDE: ReadonlySet<ProtectedEntry['reason']> = new Set([
  'own_address',
  'gateway',
  'loopback',
  'configured',
]);

/**
 * Judges a decision by the responder's own limits; the server is not trusted.
 * @returns why it is refused, or undefined.
 */
export function refuseDecision(
  decision: KeptDecision,
  state: GuardState,
  options: EnforceOptions,
  network = parseCidr(decision.value),
): string | undefined {
  const refused = refuseByLimits(decision, options, network);
  if (refused !== undefined || !network) return refused;
  return refuseExempt(network, decision, state) ?? refuseAmount(decision, state, options);
}

/** The part of {@link refuseDecision} that holds whatever is in force, protected or allowed. */
export function refuseByLimits(
  decision: KeptDecision,
  options: EnforceOptions,
  network = parseCidr(decision.value),
): string | undefined {
  if (!network) return `"${decision.value.slice(0, 60)}" is not an address or prefix`;
  return refuseWidth(network, options) ?? refuseSpecial(network) ?? refuseDuration(decision, options);
}

function refuseWidth(network: Cidr, options: EnforceOptions): string | undefined {
  const widest = network.version === 4 ? options.guard.widest_prefix4 : options.guard.widest_prefix6;
  return network.prefix < widest ? `a /${network.prefix} is wider than the limit /${widest}` : undefined;
}

const SPECIAL = (
  [
    ['0.0.0.0/8', '"this network"'],
    ['127.0.0.0/8', 'loopback'],
    ['224.0.0.0/4', 'multicast'],
    ['255.255.255.255/32', 'broadcast'],
    ['::/128', 'the unspecified address'],
    ['::1/128', 'loopback'],
    ['ff00::/8', 'multicast'],
  ] as const
).map(([text, name]) => ({ network: parseCidr(text)!, name }));

function refuseSpecial(network: Cidr): string | undefined {
  const special = SPECIAL.find((s) => cidrOverlaps(s.network, network));
  return special && `${special.name} is never blocked`;
}

function refuseDuration(decision: KeptDecision, options: EnforceOptions): string | undefined {
  const { durationSecs, origin } = decision;
  const limit = options.guard.longest_duration_secs;
  if (!Number.isFinite(durationSecs) || durationSecs < 0) return `${durationSecs} s is not a duration`;
  if (durationSecs > limit) return `${formatDuration(durationSecs)} is longer than the limit ${formatDuration(limit)}`;
  if (durationSecs > 0 || decision.expiresMs > 0) return undefined;
  if (!options.guard.allow_permanent) return 'blocks without an end are switched off (enforce.guard.allow_permanent)';
  return origin === 'operator' || origin === 'api' ? undefined : `a ${origin} may not block without an end`;
}

function refuseExempt(network: Cidr, decision: KeptDecision, state: GuardState): string | undefined {
  if (decision.action === 'watch') return undefined;
  for (const { network: kept, entry } of state.protected) {
    const inside = kept.prefix <= network.prefix && cidrContains(kept, network);
    const around = NEVER_INSIDE.has(entry.reason) && cidrOverlaps(kept, network);
    if (inside || around) return `${entry.value} is protected (${entry.reason}: ${entry.detail})`;
  }
  for (const { network: allowed, entry } of state.allowed) {
    if (allowed.prefix <= network.prefix && cidrContains(allowed, network)) {
      return `${entry.value} is on the allowlist of ${entry.owner}: ${entry.comment}`;
    }
  }
  return undefined;
}

function refuseAmount(decision: KeptDecision, state: GuardState, options: EnforceOptions): string | undefined {
  const { max_elements: max, max_quarantined: maxQuarantined } = options.guard;
  if (state.elements >= max) return `${max} elements are in force, the most allowed`;
  if (decision.traffic === 'from' || decision.action !== 'block') return undefined;
  const network = parseCidr(decision.value);
  if (network && network.prefix < (network.version === 4 ? 32 : 64)) {
    return 'traffic to an address is blocked for single hosts only (IPv6: up to /64)';
  }
  return state.quarantined >= maxQuarantined
    ? `${maxQuarantined} addresses are quarantined, the most allowed`
    : undefined;
}

/**
 * Counts new decisions in the last minute; above the limit it trips, and decisions stay simulated until the trip ends.
 * Operators are never held back: they are the ones who must act then.
 */
export class ChangeRate {
  private readonly recentMs: number[] = [];
  private head = 0;
  trippedUntilMs = 0;
  trips = 0;

  private readonly limit: number;
  private readonly tripMs: number;

  constructor(limit: number, tripMs: number) {
    this.limit = limit;
    this.tripMs = tripMs;
  }

  /** @returns whether this decision must be simulated, and whether it is the one that tripped the limit. */
  count(nowMs: number): { tripped: boolean; now: boolean } {
    if (nowMs < this.trippedUntilMs) return { tripped: true, now: false };
    while (this.head < this.recentMs.length && this.recentMs[this.head]! <= nowMs - 60_000) this.head++;
    if (this.head > this.limit) {
      this.recentMs.splice(0, this.head);
      this.head = 0;
    }
    if (this.recentMs.length - this.head >= this.limit) {
      this.trippedUntilMs = nowMs + this.tripMs;
      this.trips += 1;
      return { tripped: true, now: true };
    }
    this.recentMs.push(nowMs);
    return { tripped: false, now: false };
  }

  reset(): void {
    this.trippedUntilMs = 0;
    this.recentMs.length = 0;
    this.head = 0;
  }
}
