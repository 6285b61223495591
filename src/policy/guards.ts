import type { Alert } from '../domain/alert.js';
import type { Action, AllowEntry, Mode, ProtectedEntry, Scope } from '../domain/decision.js';
import type { GuardNote } from '../domain/verdict.js';
import { formatDuration } from '../util/duration.js';
import { canonicalAddress, formatCidr, isWithin, maskIp, parseCidr, type Cidr } from '../util/ip.js';
import type { PolicyOptions } from './options.js';
import type { Policy, PolicyStep } from './schema.js';

/** Who else would be hit by an address-wide block, from the flows of the recent past. */
export interface BlastRadius {
  /** Established flows with the address that no alert mentions. */
  benignFlows: number;
  /** Distinct inside hosts in those flows. */
  benignPeers: number;
}

/** What the guards may ask. */
export interface GuardDeps {
  /** The protected entry that the network overlaps, if any. */
  findProtected(network: Cidr): ProtectedEntry | undefined;
  /** The allowlist entry that the network overlaps and that has not expired, if any. */
  findAllowed(network: Cidr, nowMs: number): AllowEntry | undefined;
  blastRadius(network: Cidr): BlastRadius | undefined;
}

/** What is about to be done; guards make it narrower, shorter, or nothing. */
export interface Intent {
  action: Action;
  scope: Scope;
  value: string;
  proto?: number;
  port?: number;
  peer?: string;
  peerPort?: number;
  durationSecs: number;
}

export interface GuardResult {
  intent: Intent | undefined;
  notes: GuardNote[];
}

/** Turns a rung of the ladder into what it means for this alert. */
export function intentFor(step: PolicyStep, alert: Alert): Intent {
  const base: Intent = { action: step.action, scope: step.scope, value: alert.offender, durationSecs: step.duration };
  const cidr = parseCidr(alert.offender);
  if (step.scope === 'cidr' && cidr) {
    const prefix = cidr.version === 4 ? step.prefix4 : step.prefix6;
    return { ...base, value: formatCidr(maskIp(cidr, Math.min(prefix, cidr.prefix))) };
  }
  if (step.scope === 'flow') return narrowToService(base, alert, 'flow') ?? base;
  // Several services attacked at once are no single one to block.
  return (step.scope === 'service' ? narrowToService(base, alert, 'service') : undefined) ?? whole(base);
}

/** The offender as a whole: a network's scope says that it is one. */
function whole(intent: Intent): Intent {
  return { ...intent, scope: isNetwork(intent.value) ? 'cidr' : 'ip' };
}

function isNetwork(value: string): boolean {
  const cidr = parseCidr(value);
  return cidr !== undefined && cidr.prefix < (cidr.version === 4 ? 32 : 128);
}

export interface GuardContext {
  policy: Policy;
  options: PolicyOptions;
  deps: GuardDeps;
  nowMs: number;
}

/** Runs the guards in order: exemption, spoofing, blast radius. */
export function applyGuards(intent: Intent, alert: Alert, ctx: GuardContext): GuardResult {
  const notes: GuardNote[] = [];
  let current: Intent | undefined = exemptionGate(intent, alert, ctx, notes);
  if (current) current = spoofGate(current, alert, ctx.policy, notes);
  if (current) current = blastGate(current, alert, ctx, notes);
  return { intent: current, notes };
}

/**
 * Refuses what the protected set or the allowlist exempts. A prefix that merely contains an exempt address is narrowed
 * to the offender alone.
 */
function exemptionGate(intent: Intent, alert: Alert, ctx: GuardContext, notes: GuardNote[]): Intent | undefined {
  const exempt = exemption(intent.value, ctx);
  if (!exempt) return intent;
  if (intent.scope === 'cidr' && !exemption(alert.offender, ctx)) {
    notes.push({
      ...exempt,
      effect: 'narrowed',
      text: `${exempt.text}: ${alert.offender} alone instead of ${intent.value}`,
    });
    return { ...intent, scope: 'ip', value: alert.offender };
  }
  notes.push(exempt);
  return undefined;
}

function exemption(value: string, ctx: GuardContext): GuardNote | undefined {
  const network = parseCidr(value);
  if (!network) return { guard: 'protected', effect: 'refused', text: `"${value}" is not an address` };
  const kept = ctx.deps.findProtected(network);
  if (kept) {
    return {
      guard: 'protected',
      effect: 'refused',
      text: `${kept.value} is protected (${kept.reason}: ${kept.detail})`,
    };
  }
  const allowed = ctx.deps.findAllowed(network, ctx.nowMs);
  if (!allowed) return undefined;
  const text = `${allowed.value} is on the allowlist of ${allowed.owner}: ${allowed.comment}`;
  return { guard: 'allowlist', effect: 'refused', text };
}

function spoofGate(intent: Intent, alert: Alert, policy: Policy, notes: GuardNote[]): Intent | undefined {
  const wide = intent.action === 'block' && (intent.scope === 'ip' || intent.scope === 'cidr');
  if (!alert.spoofable || !wide) return intent;
  const instead = policy.respond?.when_spoofable ?? 'rate_limit';
  const why = 'the source has not proved that it owns its address';
  if (instead === 'monitor') {
    notes.push({ guard: 'spoof', effect: 'refused', text: `${why}: no block` });
    return undefined;
  }
  const service = instead === 'service' ? narrowToService(intent, alert, 'service') : undefined;
  if (service) {
    notes.push({ guard: 'spoof', effect: 'narrowed', text: `${why}: only the attacked service is blocked` });
    return service;
  }
  notes.push({ guard: 'spoof', effect: 'narrowed', text: `${why}: rate limit instead of a block` });
  const value = canonicalAddress(alert.offender) ?? alert.offender;
  return whole({ ...intent, action: 'rate_limit', value });
}

function blastGate(intent: Intent, alert: Alert, ctx: GuardContext, notes: GuardNote[]): Intent {
  if (intent.action !== 'block' || intent.scope === 'service' || intent.scope === 'flow') return intent;
  const network = parseCidr(intent.value);
  const radius = network && ctx.deps.blastRadius(network);
  const limit = ctx.options.blast_radius;
  if (!radius || (radius.benignFlows <= limit.max_benign_flows && radius.benignPeers <= limit.max_benign_peers))
    return intent;
  const durationSecs =
    intent.durationSecs === 0 ? limit.shorten_to_secs : Math.min(intent.durationSecs, limit.shorten_to_secs);
  const why = `${radius.benignFlows} ordinary flows to ${radius.benignPeers} inside hosts share ${intent.value}`;
  const narrowed = narrowToService(intent, alert, 'service');
  notes.push({
    guard: 'blast_radius',
    effect: narrowed ? 'narrowed' : 'shortened',
    text: `${why}: ${narrowed ? 'only the attacked service' : 'at most'} ${formatDuration(durationSecs)}`,
  });
  return { ...(narrowed ?? intent), durationSecs };
}

function narrowToService(intent: Intent, alert: Alert, scope: 'service' | 'flow'): Intent | undefined {
  const fromOffender = isWithin(alert.srcIp, alert.offender);
  const port = fromOffender ? alert.dstPort : alert.srcPort;
  if ((alert.proto !== 6 && alert.proto !== 17) || port === 0 || alert.ports.length > 1) return undefined;
  const narrowed: Intent = { ...intent, action: 'block', scope, value: alert.offender, proto: alert.proto, port };
  if (scope === 'service') return narrowed;
  return {
    ...narrowed,
    peer: fromOffender ? alert.dstIp : alert.srcIp,
    peerPort: fromOffender ? alert.srcPort : alert.dstPort,
  };
}

/** The weaker of the policy's and the box's mode. */
export function effectiveMode(policy: Mode, box: Mode): Mode {
  const order: readonly Mode[] = ['observe', 'suggest', 'enforce'];
  return order[Math.min(order.indexOf(policy), order.indexOf(box))] ?? 'observe';
}
