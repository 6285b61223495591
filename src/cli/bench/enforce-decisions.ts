import type { Decision } from '../../domain/decision.js';
import { uuid7 } from '../../util/uuid7.js';

/** A block for a day. */
export function decisionFor(value: string, origin: Decision['origin'] = 'policy'): Decision {
  const createdMs = Date.now();
  return {
    id: uuid7(),
    action: 'block',
    scope: value.includes('/') ? 'cidr' : 'ip',
    value,
    traffic: 'from',
    durationSecs: 86_400,
    createdMs,
    expiresMs: createdMs + 86_400_000,
    origin,
    actor: 'bench',
    reason: 'bench',
    alertIds: [],
    simulated: false,
    mode: 'enforce',
    step: 0,
    enforcement: 'pending',
    trace: { packetUs: 0, detectedUs: 0, alertUs: 0, decidedUs: 0, receivedUs: 0, kernelUs: 0 },
  };
}
