import { join } from 'node:path';
import { correlateOptionsSchema, createCorrelator } from '../../src/correlate/index.js';
import type { Action } from '../../src/domain/decision.js';
import type { Detection } from '../../src/domain/detection.js';
import { createPolicyEngine, loadPolicyFolder, policyOptionsSchema } from '../../src/policy/index.js';

const SHIPPED = join(import.meta.dirname, '../../policies');

/**
 * What the shipped policies do to each offender in enforce mode, with nothing protected or allowed: detections become
 * alerts, alerts are judged one by one.
 */
export async function actionsOf(
  detections: readonly Detection[],
  homeNetworks: readonly string[],
): Promise<Map<string, Action>> {
  const out = new Map<string, Action>();
  let ids = 0;
  const engine = createPolicyEngine(policyOptionsSchema.parse({ home_networks: [...homeNetworks] }), {
    mode: () => 'enforce',
    pausedUntilMs: () => 0,
    newId: () => `id-${ids++}`,
    findProtected: () => undefined,
    findAllowed: () => undefined,
    blastRadius: () => undefined,
  });
  engine.setPolicies((await loadPolicyFolder(SHIPPED)).policies);
  const correlator = createCorrelator(correlateOptionsSchema.parse({}), {
    newId: () => `id-${ids++}`,
    emit({ alert }) {
      const { decision } = engine.judge(alert, alert.lastMs);
      if (decision && out.get(alert.offender) !== 'block') out.set(alert.offender, decision.action);
    },
  });
  for (const d of detections) {
    correlator.tick(d.detectedUs / 1000);
    correlator.push(d);
  }
  correlator.tick((detections.at(-1)?.detectedUs ?? 0) / 1000 + 60_000);
  return out;
}
