import type { DecisionRequest } from '../../contract/http.js';
import type { Decision, Mode, Origin } from '../../domain/decision.js';
import { refuseAtOnce } from '../../enforce/index.js';
import { AppError } from '../../util/errors.js';
import { canonicalAddress, cidrContains, formatCidr, parseCidr, type Cidr } from '../../util/ip.js';
import { uuid7 } from '../../util/uuid7.js';
import type { ServerParts } from './parts.js';

/** The decision that a person or a program asked for. @throws AppError decision.invalid */
export function toDecision(
  parts: Pick<ServerParts, 'settings'>,
  request: DecisionRequest,
  network: Cidr,
  by: { name: string; origin: Origin },
): Decision {
  const full = network.version === 4 ? 32 : 128;
  const scope = request.scope ?? (request.port !== undefined ? 'service' : network.prefix < full ? 'cidr' : 'ip');
  if ((scope === 'service' || scope === 'flow') && (request.port === undefined || request.proto === undefined)) {
    throw invalid('A block of one service needs proto and port.');
  }
  const now = Date.now();
  const mode: Mode = parts.settings.mode();
  // A person asked in suggest mode has decided; a program has not, and a pause stops it too.
  const isPerson = by.origin === 'operator' || by.origin === 'api';
  const paused = parts.settings.pausedUntilMs() > now;
  const simulated = mode === 'observe' || (!isPerson && (mode === 'suggest' || paused));
  return {
    id: uuid7(),
    action: request.action ?? 'block',
    scope,
    value: network.prefix === full ? (canonicalAddress(request.value) ?? request.value) : formatCidr(network),
    traffic: 'from',
    ...(request.proto === undefined ? {} : { proto: request.proto }),
    ...(request.port === undefined ? {} : { port: request.port }),
    durationSecs: request.durationSecs,
    createdMs: now,
    expiresMs: request.durationSecs === 0 ? 0 : now + request.durationSecs * 1000,
    origin: by.origin,
    actor: by.name,
    reason: request.reason,
    alertIds: [],
    simulated,
    mode,
    step: 0,
    enforcement: 'pending',
    trace: { packetUs: 0, detectedUs: 0, alertUs: 0, decidedUs: now * 1000, receivedUs: 0, kernelUs: 0 },
  };
}

/** @throws AppError decision.protected, decision.allowed */
export function refuseExempt(parts: Pick<ServerParts, 'exemptions'>, network: Cidr): void {
  const kept = parts.exemptions.findProtected(network);
  if (kept) {
    throw new AppError({
      kind: 'user',
      code: 'decision.protected',
      message: `${kept.value} is protected (${kept.reason.replace('_', ' ')}: ${kept.detail}) and can never be blocked.`,
    });
  }
  const allowed = parts.exemptions.findAllowed(network, Date.now());
  const exempt = allowed && parseCidr(allowed.value);
  // An allowed host inside a wider block stays allowed: in the kernel its exemption comes before every drop.
  if (allowed && exempt && exempt.prefix <= network.prefix && cidrContains(exempt, network)) {
    throw new AppError({
      kind: 'user',
      code: 'decision.allowed',
      message: `${allowed.value} is on the allowlist of ${allowed.owner}: ${allowed.comment}`,
      fix: 'End the exemption first.',
    });
  }
}

/**
 * What the responder would refuse a moment later is refused here: too long, too wide, loopback, multicast, a port of a
 * protocol without ports.
 * @throws AppError decision.invalid
 */
export function refuseUnfit(parts: Pick<ServerParts, 'config'>, decision: Decision): void {
  const why = refuseAtOnce(decision, parts.config.enforce);
  if (why !== undefined) throw invalid(`No responder would do it: ${why}.`);
}

/** The decision as it would be if it ended so many seconds from now. */
export function extended(decision: Decision, durationSecs: number): Decision {
  const nowMs = Date.now();
  const inAllSecs = Math.round((nowMs - decision.createdMs) / 1000) + durationSecs;
  return { ...decision, durationSecs: inAllSecs, expiresMs: nowMs + durationSecs * 1000 };
}

/** @throws AppError decision.warned when ordinary traffic shares the address */
export function warnAboutBlast(
  parts: Pick<ServerParts, 'guards' | 'policyOptions'>,
  decision: Decision,
  network: Cidr,
): void {
  if (decision.action !== 'block') return;
  const radius = parts.guards.blastRadius(network);
  const limit = parts.policyOptions.blast_radius;
  if (!radius || (radius.benignFlows <= limit.max_benign_flows && radius.benignPeers <= limit.max_benign_peers)) return;
  throw new AppError({
    kind: 'user',
    code: 'decision.warned',
    message: `${radius.benignFlows} ordinary flows to ${radius.benignPeers} inside hosts share ${decision.value}.`,
    fix: 'Block one service for a short time, or confirm with override.',
  });
}

export function invalid(message: string): AppError {
  return new AppError({ kind: 'user', code: 'decision.invalid', message });
}
