import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Decision, EnforcementReport } from '../../../src/domain/decision.js';
import {
  createResponder,
  enforceOptionsSchema,
  type Responder,
  type ResponderDeps,
  type ResponderIncident,
} from '../../../src/enforce/index.js';
import { uuid7 } from '../../../src/util/uuid7.js';

/** A block of an address or prefix by policy for a minute, with changes. */
export function block(value: string, more: Partial<Decision> & { forMs?: number } = {}): Decision {
  const { forMs = 60_000, ...rest } = more;
  const createdMs = Date.now();
  return {
    id: uuid7(),
    action: 'block',
    scope: value.includes('/') ? 'cidr' : 'ip',
    value,
    traffic: 'from',
    durationSecs: Math.ceil(forMs / 1000),
    createdMs,
    expiresMs: forMs === 0 ? 0 : createdMs + forMs,
    origin: 'policy',
    actor: 'test',
    reason: 'test',
    alertIds: [],
    simulated: false,
    mode: 'enforce',
    step: 0,
    enforcement: 'pending',
    trace: { packetUs: 0, detectedUs: 0, alertUs: 0, decidedUs: 0, receivedUs: 0, kernelUs: 0 },
    ...rest,
  };
}

export interface TestResponder {
  responder: Responder;
  reports: EnforcementReport[];
  incidents: ResponderIncident[];
  hits: Map<string, { packets: number; bytes: number }>;
  dir: string;
  /** The last report of a decision, once there is one that satisfies. */
  reportOf(id: string, enforcement?: string): Promise<EnforcementReport>;
  end(): Promise<void>;
}

/** A responder in a namespace with its own state folder; started. */
export async function startResponder(
  netns: string,
  options: Record<string, unknown> = {},
  deps: ResponderDeps = {},
): Promise<TestResponder> {
  const dir =
    typeof options['state_dir'] === 'string' ? options['state_dir'] : mkdtempSync(join(tmpdir(), 'enf-test-'));
  const reports: EnforcementReport[] = [];
  const incidents: ResponderIncident[] = [];
  const hits: TestResponder['hits'] = new Map();
  const parsed = enforceOptionsSchema.parse({ backend: 'nftables', log_blocked: false, ...options, state_dir: dir });
  const responder = createResponder(
    parsed,
    { netns, ...deps },
    {
      report: (list) => reports.push(...list),
      state: () => undefined,
      hits: (list) => list.forEach((h) => hits.set(h.decisionId, h)),
      incident: (incident) => incidents.push(incident),
    },
  );
  await responder.start();
  return {
    responder,
    reports,
    incidents,
    hits,
    dir,
    reportOf: (id, enforcement) =>
      until(() => reports.findLast((r) => r.decisionId === id && (enforcement ?? r.enforcement) === r.enforcement)),
    end: async () => {
      await responder.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Waits until the condition holds, at most `mostMs`. */
export async function until<T>(
  condition: () => T | undefined | false | Promise<T | undefined | false>,
  mostMs = 120_000,
): Promise<T> {
  const end = performance.now() + mostMs;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > end) throw new Error(`not true within ${mostMs} ms: ${condition.toString()}`);
    await sleep(5);
  }
}
