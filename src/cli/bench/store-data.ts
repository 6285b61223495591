import type { Alert } from '../../domain/alert.js';
import type { Decision } from '../../domain/decision.js';
import type { FlowRecord } from '../../domain/flow.js';
import { SEVERITIES } from '../../domain/severity.js';
import { uuid7 } from '../../util/uuid7.js';

/** Repeatable pseudo-random numbers (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const DAY_MS = 86_400_000;
/** Alerts and flows lie in so many days before now. */
export const ALERT_DAYS = 60;
export const FLOW_DAYS = 7;

const LABELS = [
  'port_scan', 'ssh_brute_force', 'web-application-attack', 'host_sweep', 'dns_tunnel', 'beacon', 'syn_flood', 'trojan-activity',
  'attempted-recon', 'exfiltration', 'anomaly', 'policy-violation', 'slow_http', 'lateral_movement', 'rare_label',
]; // prettier-ignore
const TITLES = 3000;
const TIERS = [
  ['behaviour'],
  ['signature'],
  ['signature', 'behaviour'],
  ['classification'],
  ['anomaly', 'behaviour'],
] as const;

export interface Made {
  random(): number;
  /** Skewed choice: low numbers are frequent, as busy hosts are. */
  skewed(n: number): number;
}

export function createMaker(seed: number): Made {
  const random = createRandom(seed);
  return { random, skewed: (n) => Math.floor(n * random() ** 4) };
}

/** Address of attacker number `n`: 11.0.0.0/8, the busy ones together. */
export const attacker = (n: number): string => `11.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`;
export const inside = (n: number): string => `10.0.${(n >> 8) & 255}.${n & 255}`;

export function makeAlert({ random, skewed }: Made, atMs: number): Alert {
  const label = LABELS[skewed(LABELS.length)] ?? 'port_scan';
  const title = `${label.replaceAll(/[-_]/g, ' ')} rule ${skewed(TITLES)}`;
  const offender = attacker(skewed(200_000));
  const victim = inside(skewed(2000));
  const [srcPort, dstPort] = [1024 + Math.floor(random() * 60_000), [22, 80, 443, 53, 3389, 8080][skewed(6)] ?? 31_337];
  return {
    id: uuid7(atMs),
    key: `${offender}|${label}`,
    incidentId: uuid7(atMs - (atMs % 600_000)),
    sensor: 'edge',
    title,
    label,
    category: 'bench',
    tiers: [...(TIERS[skewed(TIERS.length)] ?? ['behaviour'])],
    severity: SEVERITIES[Math.min(4, 1 + skewed(5))] ?? 'medium',
    score: random(),
    confidence: 0.5 + random() / 2,
    offender,
    victim,
    spoofable: false,
    signatureId: 1000 + skewed(TITLES),
    gid: 1,
    rev: 1,
    evidence: [{ name: 'matched', value: 'GET /index.php?id=1 UNION SELECT', text: 'x'.repeat(300) }],
    metadata: {},
    count: 1,
    firstMs: atMs,
    lastMs: atMs,
    state: random() < 0.7 ? 'open' : 'archived',
    noBlock: false,
    packetUs: atMs * 1000,
    detectedUs: atMs * 1000 + 200,
    features: { schema: 'flow/1', values: Array.from({ length: 40 }, (_, i) => i * 1.5) },
    victims: [victim],
    ports: [dstPort],
    srcIp: offender,
    srcPort,
    dstIp: victim,
    dstPort,
    proto: 6,
  };
}

export function makeFlow({ random, skewed }: Made, endMs: number): FlowRecord {
  const port = [443, 80, 53, 123, 22][skewed(5)] ?? 443;
  const rare = random() < 0.0002;
  return {
    flowId: Math.floor(random() * 2 ** 40),
    communityId: `1:${Math.floor(random() * 2 ** 40).toString(36)}=`,
    ipVersion: 4,
    proto: port === 53 || port === 123 ? 17 : 6,
    srcIp: inside(skewed(2000)),
    srcPort: 1024 + Math.floor(random() * 60_000),
    dstIp: random() < 0.3 ? inside(skewed(2000)) : attacker(skewed(200_000)),
    dstPort: rare ? 31_337 : port,
    startUs: endMs * 1000 - 2_000_000,
    endUs: endMs * 1000,
    packetsFwd: 10,
    packetsBwd: 12,
    bytesFwd: Math.floor(random() * 5000),
    bytesBwd: rare ? 5_000_000_000 : Math.floor(random() * 100_000),
    payloadFwd: 100,
    payloadBwd: 1000,
    tcpFlagsFwd: 27,
    tcpFlagsBwd: 27,
    tcpState: 5,
    endReason: 'closed',
    vlan: 0,
    interfaceId: 0,
    icmpType: -1,
    icmpCode: -1,
    appProto: port === 53 ? 'dns' : port === 443 ? 'tls' : 'http',
  };
}

export function makeBlock({ random }: Made, n: number, nowMs: number): Decision {
  const createdMs = nowMs - Math.floor(random() * DAY_MS);
  return {
    id: uuid7(createdMs),
    action: 'block',
    scope: 'ip',
    value: attacker(n),
    traffic: 'from',
    durationSecs: 7 * 86_400,
    createdMs,
    expiresMs: createdMs + 7 * DAY_MS,
    origin: 'policy',
    actor: `policy-${n % 7}`,
    policy: `policy-${n % 7}`,
    policyVersion: 1,
    reason: `rule ${n % 500} with confidence 0.9`,
    alertIds: [],
    simulated: false,
    mode: 'enforce',
    step: 0,
    enforcement: 'applied',
    trace: { packetUs: 1, detectedUs: 2, alertUs: 3, decidedUs: 4, receivedUs: 5, kernelUs: 6 },
  };
}
