import type { Decision } from '../../../src/domain/decision.js';
import { enforceOptionsSchema, type EnforceOptions } from '../../../src/enforce/options.js';
import { uuid7 } from '../../../src/util/uuid7.js';

export function options(more: Record<string, unknown> = {}): EnforceOptions {
  return enforceOptionsSchema.parse(more);
}

export function decision(value: string, more: Partial<Decision> = {}): Decision {
  return {
    id: uuid7(),
    action: 'block',
    scope: value.includes('/') ? 'cidr' : 'ip',
    value,
    traffic: 'from',
    durationSecs: 60,
    createdMs: 1_000_000,
    expiresMs: 1_060_000,
    origin: 'policy',
    actor: 'test',
    reason: 'test',
    alertIds: [],
    simulated: false,
    mode: 'enforce',
    step: 0,
    enforcement: 'pending',
    trace: { packetUs: 0, detectedUs: 0, alertUs: 0, decidedUs: 0, receivedUs: 0, kernelUs: 0 },
    ...more,
  };
}
