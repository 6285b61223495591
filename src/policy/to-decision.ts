import type { Alert } from '../domain/alert.js';
import type { Decision } from '../domain/decision.js';
import type { Verdict } from '../domain/verdict.js';
import { formatDuration } from '../util/duration.js';
import { canonicalAddress } from '../util/ip.js';
import type { Intent } from './guards.js';
import type { Policy } from './schema.js';

/** What a verdict says of what is to be done. */
export function intentFields(intent: Intent): Partial<Verdict> {
  return {
    action: intent.action,
    scope: intent.scope,
    value: intent.value,
    durationSecs: intent.durationSecs,
    ...(intent.proto === undefined ? {} : { proto: intent.proto }),
    ...(intent.port === undefined ? {} : { port: intent.port }),
  };
}

/** Why, for people: what was seen, what is done, for how long, by which policy. */
export function reasonText(policy: Policy, alert: Alert, intent: Intent, step: number): string {
  const what = intent.scope === 'service' ? `port ${intent.port ?? 0} for ${intent.value}` : intent.value;
  const forHowLong = intent.durationSecs === 0 ? 'until released' : `for ${formatDuration(intent.durationSecs)}`;
  const nth = step === 0 ? '' : ` (offence ${step + 1})`;
  return `${alert.title}: ${intent.action.replace('_', ' ')} ${what} ${forHowLong} by policy ${policy.name}${nth}.`;
}

/** The instruction for the responders; times of the trace that are not known yet are 0. */
export function toDecision(
  alert: Alert,
  verdict: Verdict,
  intent: Intent,
  made: { simulated: boolean; nowMs: number; id: string },
): Decision {
  return {
    id: made.id,
    action: intent.action,
    scope: intent.scope,
    value: canonicalAddress(intent.value) ?? intent.value,
    traffic: verdict.traffic ?? 'from',
    ...(intent.proto === undefined ? {} : { proto: intent.proto }),
    ...(intent.port === undefined ? {} : { port: intent.port }),
    ...(intent.peer === undefined ? {} : { peer: intent.peer }),
    ...(intent.peerPort === undefined ? {} : { peerPort: intent.peerPort }),
    durationSecs: intent.durationSecs,
    createdMs: made.nowMs,
    expiresMs: intent.durationSecs === 0 ? 0 : made.nowMs + intent.durationSecs * 1000,
    origin: 'policy',
    actor: verdict.policy ?? '',
    ...(verdict.policy === undefined ? {} : { policy: verdict.policy }),
    ...(verdict.policyVersion === undefined ? {} : { policyVersion: verdict.policyVersion }),
    reason: verdict.reason,
    alertIds: [alert.id],
    incidentId: alert.incidentId,
    simulated: made.simulated,
    mode: verdict.mode,
    step: verdict.step ?? 0,
    enforcement: 'pending',
    trace: {
      packetUs: alert.packetUs,
      detectedUs: alert.detectedUs,
      alertUs: 0,
      decidedUs: 0,
      receivedUs: 0,
      kernelUs: 0,
    },
  };
}
