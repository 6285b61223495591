import type { Alert } from '../../../src/domain/alert.js';
import type { Decision } from '../../../src/domain/decision.js';
import type { FlowRecord } from '../../../src/domain/flow.js';
import type { Incident } from '../../../src/domain/incident.js';
import { uuid7 } from '../../../src/util/uuid7.js';
import type { TrainingReport } from '../../../src/contract/http.js';

export const START_MS = 1_760_000_000_000;

export function sampleAlert(change: Partial<Alert> = {}): Alert {
  return {
    id: uuid7(),
    key: '203.0.113.7|port_scan|192.0.2.10',
    incidentId: '01890000-0000-7000-8000-000000000001',
    sensor: 'edge',
    title: 'Port scan of one host',
    label: 'port_scan',
    category: 'reconnaissance',
    tiers: ['behaviour'],
    severity: 'medium',
    score: 0.9,
    confidence: 0.8,
    offender: '203.0.113.7',
    victim: '192.0.2.10',
    spoofable: false,
    attack: { techniqueId: 'T1046', techniqueName: 'Network Service Discovery' },
    signatureId: 1,
    gid: 2,
    rev: 1,
    evidence: [{ name: 'distinct_ports', value: 212, unit: 'ports', text: '212 distinct ports in 2 s' }],
    metadata: { tool: ['nmap'] },
    count: 1,
    firstMs: START_MS,
    lastMs: START_MS,
    state: 'open',
    noBlock: false,
    packetUs: START_MS * 1000,
    detectedUs: START_MS * 1000 + 250,
    features: { schema: 'flow/1', values: [1, 2.5, 0] },
    victims: ['192.0.2.10'],
    ports: [22, 80],
    srcIp: '203.0.113.7',
    srcPort: 40_000,
    dstIp: '192.0.2.10',
    dstPort: 22,
    proto: 6,
    ...change,
  };
}

export function sampleDecision(change: Partial<Decision> = {}): Decision {
  return {
    id: uuid7(),
    action: 'block',
    scope: 'ip',
    value: '203.0.113.7',
    traffic: 'from',
    durationSecs: 600,
    createdMs: START_MS,
    expiresMs: START_MS + 600_000,
    origin: 'policy',
    actor: 'scanners',
    policy: 'scanners',
    policyVersion: 3,
    reason: 'port scan with confidence 0.8',
    alertIds: [],
    simulated: false,
    mode: 'enforce',
    step: 0,
    enforcement: 'pending',
    trace: { packetUs: 1, detectedUs: 2, alertUs: 3, decidedUs: 4, receivedUs: 0, kernelUs: 0 },
    ...change,
  };
}

export function sampleIncident(change: Partial<Incident> = {}): Incident {
  return {
    id: uuid7(),
    offender: '203.0.113.7',
    title: 'Port scan from 203.0.113.7',
    severity: 'medium',
    state: 'new',
    alertCount: 1,
    labels: ['port_scan'],
    firstMs: START_MS,
    lastMs: START_MS,
    ...change,
  };
}

export function sampleFlow(change: Partial<FlowRecord> = {}): FlowRecord {
  return {
    flowId: 7,
    communityId: '1:LQU9qZlK+B5F3KDmev6m5PMibrg=',
    ipVersion: 4,
    proto: 6,
    srcIp: '203.0.113.7',
    srcPort: 40_000,
    dstIp: '192.0.2.10',
    dstPort: 80,
    startUs: START_MS * 1000,
    endUs: START_MS * 1000 + 1500.5,
    packetsFwd: 5,
    packetsBwd: 4,
    bytesFwd: 400,
    bytesBwd: 5_000_000_000,
    payloadFwd: 100,
    payloadBwd: 4_900_000_000,
    tcpFlagsFwd: 27,
    tcpFlagsBwd: 27,
    tcpState: 5,
    endReason: 'closed',
    vlan: 0,
    interfaceId: 0,
    icmpType: -1,
    icmpCode: -1,
    ...change,
  };
}

export function sampleTrainingRun(change: Partial<TrainingReport> = {}): TrainingReport {
  return {
    id: uuid7(),
    model: 'flow-classifier',
    algorithm: 'random-forest',
    trigger: 'schedule',
    actor: 'schedule',
    state: 'suggested',
    summary: 'Better than the champion.',
    startedMs: START_MS,
    finishedMs: START_MS + 60_000,
    progress: null,
    champion: '0123456789abcdef',
    challenger: 'fedcba9876543210',
    data: null,
    gate: null,
    families: [],
    falseAlarms: [],
    shadow: null,
    error: null,
    ...change,
  };
}
