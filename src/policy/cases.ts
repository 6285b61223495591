import { z } from 'zod';
import type { Alert } from '../domain/alert.js';
import { ACTIONS, MODES, SCOPES } from '../domain/decision.js';
import { TIERS } from '../domain/detection.js';
import { SEVERITIES } from '../domain/severity.js';
import { cidrOverlaps, parseCidr, type Cidr } from '../util/ip.js';
import { createPolicyEngine } from './engine.js';
import { policyOptionsSchema } from './options.js';
import type { Policy } from './schema.js';

const caseAlert = z.strictObject({
  label: z.string(),
  offender: z.string().default('203.0.113.7'),
  victim: z.string().default('192.168.1.10'),
  tiers: z.array(z.enum(TIERS)).default(['behaviour']),
  severity: z.enum(SEVERITIES).default('high'),
  confidence: z.number().default(0.95),
  score: z.number().default(0.95),
  proto: z.number().default(6),
  port: z.number().default(80),
  ports: z.array(z.number()).optional(),
  spoofable: z.boolean().default(false),
  no_block: z.boolean().default(false),
  count: z.number().default(1),
  signature_id: z.number().default(1),
  category: z.string().default(''),
  metadata: z.record(z.string(), z.array(z.string())).default({}),
});

const expectation = z.strictObject({
  outcome: z.enum(['allow', 'monitor', 'act']),
  policy: z.string().optional(),
  action: z.enum(ACTIONS).optional(),
  scope: z.enum(SCOPES).optional(),
  value: z.string().optional(),
  port: z.number().optional(),
  duration_secs: z.number().optional(),
  mode: z.enum(MODES).optional(),
});

/** `policies/tests/*.yaml`: alerts in, verdicts out. */
export const policyCasesSchema = z.strictObject({
  policy: z.string().describe('Name of the policy under test'),
  cases: z
    .array(
      z.strictObject({
        name: z.string(),
        mode: z.enum(MODES).default('enforce'),
        at: z.string().default('2026-01-05T12:00:00').describe('Local time'),
        offences: z.number().int().min(0).default(0).describe('How often the same alert was judged before'),
        protected: z.array(z.string()).default([]),
        allowed: z.array(z.string()).default([]),
        benign_flows: z.number().int().min(0).default(0),
        alert: caseAlert,
        expect: expectation,
      }),
    )
    .min(1),
});

export type PolicyCases = z.output<typeof policyCasesSchema>;
export type PolicyCase = PolicyCases['cases'][number];

export interface CaseResult {
  name: string;
  passed: boolean;
  /** One line for each expectation that did not hold. */
  differences: string[];
}

/** Judges one case with the whole set of policies, as the live engine would. */
export function runPolicyCase(policies: readonly Policy[], policyCase: PolicyCase): CaseResult {
  const overlap = (list: readonly string[], network: Cidr): string | undefined =>
    list.find((text) => {
      const cidr = parseCidr(text);
      return cidr !== undefined && cidrOverlaps(cidr, network);
    });
  let made = 0;
  const engine = createPolicyEngine(policyOptionsSchema.parse({}), {
    mode: () => policyCase.mode,
    pausedUntilMs: () => 0,
    newId: () => `decision-${++made}`,
    findProtected(network) {
      const value = overlap(policyCase.protected, network);
      return value === undefined ? undefined : { value, reason: 'configured', detail: 'case' };
    },
    findAllowed(network) {
      const value = overlap(policyCase.allowed, network);
      return value === undefined
        ? undefined
        : { id: 'case', value, owner: 'case', comment: 'case', createdMs: 0, expiresMs: 0 };
    },
    blastRadius: () => ({ benignFlows: policyCase.benign_flows, benignPeers: policyCase.benign_flows > 0 ? 1 : 0 }),
  });
  engine.setPolicies(policies);
  const alert = toAlert(policyCase);
  let nowMs = new Date(policyCase.at).getTime();
  for (let i = 0; i < policyCase.offences; i++) {
    const earlier = engine.judge(alert, nowMs);
    nowMs = Math.max(nowMs, earlier.decision?.expiresMs ?? nowMs) + 1000;
  }
  const { verdict } = engine.judge(alert, nowMs);
  const want = policyCase.expect;
  const have = {
    outcome: verdict.outcome,
    policy: verdict.policy,
    action: verdict.action,
    scope: verdict.scope,
    value: verdict.value,
    port: verdict.port,
    duration_secs: verdict.durationSecs,
    mode: verdict.mode,
  };
  const differences = (Object.keys(want) as (keyof typeof want)[])
    .filter((key) => want[key] !== undefined && want[key] !== have[key])
    .map((key) => `${key}: expected ${String(want[key])}, got ${String(have[key])} (${verdict.reason})`);
  return { name: policyCase.name, passed: differences.length === 0, differences };
}

function toAlert(policyCase: PolicyCase): Alert {
  const a = policyCase.alert;
  const nowMs = new Date(policyCase.at).getTime();
  return {
    id: 'case',
    key: 'case',
    incidentId: 'case',
    sensor: 'case',
    title: a.label,
    label: a.label,
    category: a.category,
    tiers: a.tiers,
    severity: a.severity,
    score: a.score,
    confidence: a.confidence,
    offender: a.offender,
    victim: a.victim,
    spoofable: a.spoofable,
    signatureId: a.signature_id,
    gid: 1,
    rev: 1,
    evidence: [],
    metadata: a.metadata,
    count: a.count,
    firstMs: nowMs,
    lastMs: nowMs,
    state: 'open',
    noBlock: a.no_block,
    packetUs: nowMs * 1000,
    detectedUs: nowMs * 1000,
    victims: [a.victim],
    ports: a.ports ?? [a.port],
    srcIp: a.offender,
    srcPort: 40000,
    dstIp: a.victim,
    dstPort: a.port,
    proto: a.proto,
  };
}
