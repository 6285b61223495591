/**
 * Made-up data of the HTTP contract for the console's own tests and for working on the console without a server.
 * Addresses come from the documentation ranges (RFC 5737, RFC 3849). Nothing here is measured.
 */
import type { z } from 'zod';
import type { alertSchema, AlertRow, Overview, Status, StoredFlow, TimelinePoint } from '../../../src/contract/http.js';
import type { decisionSchema } from '../../../src/contract/ipc.js';
import type { incidentSchema, verdictSchema } from '../../../src/contract/http.js';

export type Decision = z.infer<typeof decisionSchema>;
export type Alert = z.infer<typeof alertSchema>;
export type Incident = z.infer<typeof incidentSchema>;
export type Verdict = z.infer<typeof verdictSchema>;

let counter = 0;
/** UUIDs of version 7 shape, in rising order. */
export function nextId(): string {
  counter += 1;
  return `01960000-0000-7000-8000-${counter.toString(16).padStart(12, '0')}`;
}

/** A small generator with a fixed seed: the same screens each time. */
export function createRandom(seed = 7): () => number {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
const random = createRandom();
const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;

interface Kind {
  label: string;
  title: string;
  category: string;
  tiers: Alert['tiers'];
  severity: Alert['severity'];
  attack?: NonNullable<Alert['attack']>;
  proto: number;
  port: number;
  appProto?: string;
  evidence: Alert['evidence'];
  blocks: boolean;
  spoofable?: boolean;
}

const KINDS: Kind[] = [
  {
    label: 'port_scan',
    title: 'Port scan: 212 ports of one host in 2 s',
    category: 'reconnaissance',
    tiers: ['behaviour', 'classification'],
    severity: 'high',
    attack: {
      tacticId: 'TA0043',
      tacticName: 'Reconnaissance',
      techniqueId: 'T1046',
      techniqueName: 'Network Service Discovery',
    },
    proto: 6,
    port: 0,
    blocks: true,
    evidence: [
      { name: 'distinct_ports', value: 212, unit: 'ports', usual: 3, text: '212 distinct ports in 2 s; usual: 3' },
      { name: 'rejected_share', value: 0.97, usual: 0.02, text: '97 % of its connections were refused; usual: 2 %' },
      { name: 'same_srv_rate', value: 0.01, usual: 0.92, contribution: 0.312 },
      { name: 'rerror_rate', value: 0.97, usual: 0.02, contribution: 0.284 },
      { name: 'count', value: 212, unit: 'connections', usual: 4, contribution: 0.201 },
      { name: 'dst_host_count', value: 1, unit: 'hosts', usual: 6, contribution: 0.064 },
      { name: 'flow_bytes_fwd', value: 60, unit: 'bytes', usual: 1480, contribution: 0.048 },
      { name: 'duration', value: 0.0012, unit: 's', usual: 2.4, contribution: -0.022 },
    ],
  },
  {
    label: 'ssh_brute_force',
    title: 'SSH brute force: 48 failed logins in 60 s',
    category: 'credential-access',
    tiers: ['behaviour'],
    severity: 'high',
    attack: { tacticId: 'TA0006', tacticName: 'Credential Access', techniqueId: 'T1110', techniqueName: 'Brute Force' },
    proto: 6,
    port: 22,
    appProto: 'ssh',
    blocks: true,
    evidence: [
      { name: 'failed_logins', value: 48, unit: 'logins', usual: 1, text: '48 short SSH sessions in 60 s; usual: 1' },
    ],
  },
  {
    label: 'web-application-attack',
    title: 'SQL injection in the query: UNION SELECT',
    category: 'web-application-attack',
    tiers: ['signature', 'classification'],
    severity: 'critical',
    attack: {
      tacticId: 'TA0001',
      tacticName: 'Initial Access',
      techniqueId: 'T1190',
      techniqueName: 'Exploit Public-Facing Application',
    },
    proto: 6,
    port: 443,
    appProto: 'http',
    blocks: true,
    evidence: [
      {
        name: 'rule',
        value:
          'alert http any any -> $HOME_NET any (msg:"SQL injection in the query: UNION SELECT"; flow:established,to_server; http.uri; content:"union"; nocase; content:"select"; nocase; distance:0; classtype:web-application-attack; sid:9000101; rev:2;)',
      },
      {
        name: 'matched_bytes',
        value: "/shop?id=1'+UNION+ALL+SELECT+NULL,user,password+FROM+users--<script>alert(1)</script>",
        text: 'http.uri',
      },
    ],
  },
  {
    label: 'dns_tunnel',
    title: 'DNS tunnel: 3,400 long names under one domain',
    category: 'command-and-control',
    tiers: ['anomaly', 'behaviour'],
    severity: 'medium',
    attack: { techniqueId: 'T1071.004', techniqueName: 'Application Layer Protocol: DNS' },
    proto: 17,
    port: 53,
    appProto: 'dns',
    blocks: false,
    spoofable: true,
    evidence: [
      { name: 'entropy', value: 4.61, unit: 'bits', usual: 2.9, text: 'Names carry 4.61 bits a character; usual: 2.9' },
    ],
  },
  {
    label: 'intel_ip',
    title: 'Traffic with a known botnet controller',
    category: 'command-and-control',
    tiers: ['intel', 'signature'],
    severity: 'critical',
    proto: 6,
    port: 8443,
    blocks: true,
    evidence: [{ name: 'indicator', value: 'list:c2-addresses', text: 'On the list "c2-addresses" since 2026-11-19' }],
  },
  {
    label: 'unknown',
    title: 'Unusual flow, unlike any known class',
    category: 'anomaly',
    tiers: ['anomaly'],
    severity: 'low',
    proto: 6,
    port: 9200,
    blocks: false,
    evidence: [{ name: 'reconstruction_error', value: 0.41, usual: 0.03, contribution: 0.8 }],
  },
  {
    label: 'scanner',
    title: 'Web scanner by its user agent',
    category: 'reconnaissance',
    tiers: ['signature'],
    severity: 'info',
    proto: 6,
    port: 80,
    appProto: 'http',
    blocks: false,
    evidence: [],
  },
];

const OFFENDERS = [
  '203.0.113.7',
  '198.51.100.23',
  '203.0.113.145',
  '198.51.100.201',
  '2001:db8:77::5',
  '203.0.113.66',
  '198.51.100.88',
  '192.0.2.9',
];
const VICTIMS = ['192.0.2.10', '192.0.2.11', '192.0.2.25', '2001:db8:1::10'];

function makeAlert(
  kind: Kind,
  atMs: number,
  incidentId: string,
  offender: string,
): AlertRow & { features?: Alert['features'] } {
  const victim = pick(VICTIMS);
  const ports = kind.port ? [kind.port] : Array.from({ length: 212 }, (_, i) => i * 7 + 1);
  const score =
    kind.severity === 'critical' ? 0.97 : kind.severity === 'high' ? 0.93 : kind.severity === 'medium' ? 0.74 : 0.55;
  return {
    id: nextId(),
    key: `${offender}|${kind.label}`,
    incidentId,
    sensor: 'sensor-1',
    title: kind.title,
    label: kind.label,
    category: kind.category,
    tiers: kind.tiers,
    severity: kind.severity,
    score: score + random() * 0.02,
    confidence: score - random() * 0.05,
    offender,
    victim,
    spoofable: kind.spoofable ?? false,
    ...(kind.attack ? { attack: kind.attack } : {}),
    signatureId: 9000100 + KINDS.indexOf(kind),
    gid: kind.tiers[0] === 'signature' ? 1 : 2,
    rev: 1,
    evidence: kind.evidence,
    metadata: {},
    count: 1 + Math.floor(random() * 240),
    firstMs: atMs - 8000 - Math.floor(random() * 60_000),
    lastMs: atMs,
    state: 'open',
    noBlock: false,
    flowId: Math.floor(random() * 1e9),
    communityId: '1:LQU9qZlK+B5F3KDmev6m5PMibrg=',
    ...(kind.appProto ? { appProto: kind.appProto } : {}),
    packetUs: (atMs - 1) * 1000 + 211,
    detectedUs: (atMs - 1) * 1000 + 702,
    victims:
      kind.label === 'port_scan'
        ? [victim]
        : [victim, ...VICTIMS.filter((v) => v !== victim).slice(0, Math.floor(random() * 2))],
    ports,
    srcIp: offender,
    srcPort: 40_000 + Math.floor(random() * 20_000),
    dstIp: victim,
    dstPort: kind.port,
    proto: kind.proto,
    response: 'none',
  };
}

export function makeDecision(value: string, fields: Partial<Decision> = {}): Decision {
  const createdMs = fields.createdMs ?? Date.now();
  const durationSecs = fields.durationSecs ?? 3600;
  return {
    id: nextId(),
    action: 'block',
    scope: value.includes('/') ? 'cidr' : 'ip',
    value,
    traffic: 'from',
    durationSecs,
    createdMs,
    expiresMs: durationSecs === 0 ? 0 : createdMs + durationSecs * 1000,
    origin: 'policy',
    actor: 'scans',
    policy: 'scans',
    policyVersion: 3,
    reason: 'Port scan, confidence 0.93, address proved',
    alertIds: [],
    simulated: false,
    mode: 'enforce',
    step: 0,
    enforcement: 'applied',
    set: value.includes(':') ? 'block6' : 'block4',
    trace: {
      packetUs: createdMs * 1000 - 2900,
      detectedUs: createdMs * 1000 - 2400,
      alertUs: createdMs * 1000 - 2300,
      decidedUs: createdMs * 1000 - 2100,
      receivedUs: createdMs * 1000 - 1700,
      kernelUs: createdMs * 1000 - 1640,
    },
    ...fields,
  };
}

export function makeVerdict(alert: AlertRow, mode: Verdict['mode']): Verdict {
  const acts = alert.severity === 'critical' || alert.severity === 'high';
  const considered: Verdict['considered'] = [
    { policy: 'allow-partners', matched: false, failed: 'source 203.0.113.7 not in networks partners' },
    {
      policy: 'intel',
      matched: alert.tiers.includes('intel'),
      ...(alert.tiers.includes('intel') ? {} : { failed: 'tier intel not among behaviour, classification' }),
    },
  ];
  if (!alert.tiers.includes('intel'))
    considered.push({
      policy: 'scans',
      matched: acts,
      ...(acts ? {} : { failed: `confidence ${alert.confidence.toFixed(2)} < 0.8` }),
    });
  if (!acts)
    return {
      alertId: alert.id,
      outcome: 'monitor',
      mode,
      reason: 'No policy matched: the alert is reported, nothing is done.',
      considered,
      guards: [],
    };
  return {
    alertId: alert.id,
    outcome: 'act',
    policy: 'scans',
    policyVersion: 3,
    mode,
    action: 'block',
    scope: 'ip',
    traffic: 'from',
    value: alert.offender,
    durationSecs: 3600,
    step: 1,
    reason: `${alert.title}: confidence ${alert.confidence.toFixed(2)} >= 0.8 and the address is proved; second offence in 24 h.`,
    considered,
    guards: [
      {
        guard: 'blast_radius',
        effect: 'shortened',
        text: '3 established flows of 1 benign peer share the address: shortened from 24 h to 1 h.',
      },
      ...(mode === 'enforce'
        ? []
        : [
            {
              guard: 'mode' as const,
              effect: 'simulated' as const,
              text: `The mode is ${mode}: recorded, not enforced.`,
            },
          ]),
    ],
  };
}

export interface World {
  status: Status;
  alerts: AlertRow[];
  incidents: Incident[];
  decisions: Decision[];
  flows: StoredFlow[];
  timeline: TimelinePoint[];
}

export function makeWorld(nowMs: number, mode: Status['mode']): World {
  const alerts: AlertRow[] = [];
  const incidents: Incident[] = [];
  const decisions: Decision[] = [];
  for (let i = 0; i < 64; i += 1) {
    const kind = KINDS[i % KINDS.length] as Kind;
    const offender = OFFENDERS[(i * 5) % OFFENDERS.length] as string;
    const atMs = nowMs - i * i * 4200 - 4000;
    const incidentId = nextId();
    const alert = makeAlert(kind, atMs, incidentId, offender);
    if (i > 26) alert.state = i % 3 === 0 ? 'archived' : 'open';
    if (i === 5) alert.state = 'escalated';
    if (kind.blocks && i < 30) alert.response = mode === 'enforce' ? 'blocked' : 'simulated';
    if (i === 9) alert.labelVerdict = 'true_positive';
    alerts.push(alert);
    incidents.push({
      id: incidentId,
      offender,
      title: kind.title,
      severity: kind.severity,
      state: i < 6 ? 'new' : i < 18 ? 'open' : i % 4 === 0 ? 'false_positive' : 'resolved',
      ...(i > 5 && i % 2 === 0 ? { owner: i % 4 === 0 ? 'anna' : 'admin' } : {}),
      alertCount: 1 + ((i * 7) % 23),
      labels: [kind.label],
      firstMs: alert.firstMs,
      lastMs: atMs,
    });
    if (kind.blocks && i < 30) {
      decisions.push(
        makeDecision(offender, {
          createdMs: atMs,
          alertIds: [alert.id],
          incidentId,
          reason: `${kind.title}, confidence ${alert.confidence.toFixed(2)}`,
          simulated: mode !== 'enforce',
          mode,
          durationSecs: i < 8 ? 3600 : 86_400,
          enforcement: atMs + (i < 8 ? 3600 : 86_400) * 1000 < nowMs ? 'expired' : 'applied',
          step: i % 3,
          ...(i % 2 === 0 && mode === 'enforce'
            ? { hitPackets: 90_000 - i * 1900, hitBytes: (90_000 - i * 1900) * 60, lastHitMs: nowMs - i * 21_000 }
            : {}),
        }),
      );
    }
  }
  if (mode === 'enforce') {
    decisions.push(
      makeDecision('198.51.100.0/24', {
        origin: 'operator',
        actor: 'anna',
        durationSecs: 0,
        reason: 'Abuse, ticket 4711',
        createdMs: nowMs - 7_200_000,
        hitPackets: 412,
        lastHitMs: nowMs - 3000,
      }),
      makeDecision('192.0.2.77', {
        action: 'rate_limit',
        scope: 'service',
        proto: 6,
        port: 443,
        reason: 'HTTP flood, address not proved',
        createdMs: nowMs - 300_000,
        durationSecs: 900,
        set: 'slow4',
        hitPackets: 18_820,
        lastHitMs: nowMs - 1000,
      }),
      makeDecision('192.0.2.1', {
        enforcement: 'rejected',
        error: '192.0.2.1 is protected: gateway',
        reason: 'Port scan',
        createdMs: nowMs - 900_000,
      }),
    );
  }
  const active = decisions.filter((d) => d.enforcement === 'applied');
  const real = active.filter((d) => !d.simulated).length;
  return {
    alerts,
    incidents,
    decisions,
    flows: makeFlows(nowMs),
    timeline: makeTimeline(nowMs, 60, 60),
    status: {
      version: '0.1.0',
      mode,
      paused: null,
      uptimeSecs: 186_220,
      sensors: [
        {
          name: 'sensor-1',
          connected: true,
          running: true,
          interfaces: ['eth0', 'eth1'],
          packets: 812_004_113,
          kernelDrops: 0,
          packetRate: 12_408,
          flows: 18_220,
          lastSeenMs: nowMs,
          stats: { decode_truncated: 3, flow_evicted: 0, detections_per_min: 4 },
        },
        {
          name: 'sensor-dmz',
          connected: true,
          running: true,
          interfaces: ['ens5'],
          packets: 90_551_020,
          kernelDrops: 1204,
          packetRate: 880,
          flows: 2110,
          lastSeenMs: nowMs,
          stats: {},
        },
      ],
      responder: {
        connected: true,
        backend: mode === 'enforce' ? 'nftables' : 'dry-run',
        desired: mode === 'enforce' ? real : 0,
        enforced: mode === 'enforce' ? real : 0,
        healed: 2,
      },
      latency: { count: 1284, p50Us: 840, p95Us: 3120, p99Us: 6900 },
      alerts: { lastHour: 27, open: alerts.filter((a) => a.state === 'open').length },
      decisions: { active: real, simulated: active.filter((d) => d.simulated).length },
      siem: [
        {
          name: 'splunk',
          state: 'ok',
          format: 'cef',
          transport: 'tcp',
          target: '10.0.0.20:514',
          backlog: 0,
          confirmed: 48_211,
          dropped: 0,
          lastError: null,
        },
        {
          name: 'elastic',
          state: 'retrying',
          format: 'ecs',
          transport: 'http',
          target: 'https://10.0.0.21:9200',
          backlog: 1482,
          confirmed: 47_002,
          dropped: 0,
          lastError: 'connect ECONNREFUSED 10.0.0.21:9200',
        },
      ],
      database: { kind: 'sqlite', ok: true },
    },
  };
}

export function makeTimeline(nowMs: number, points: number, stepSecs: number): TimelinePoint[] {
  const step = stepSecs * 1000;
  const end = Math.floor(nowMs / step) * step;
  return Array.from({ length: points }, (_, i) => makePoint(end - (points - 1 - i) * step, stepSecs, i));
}

export function makePoint(atMs: number, stepSecs: number, i: number): TimelinePoint {
  const wave = 11_000 + Math.sin(i / 7) * 3200 + Math.sin(i / 2.3) * 900 + random() * 700;
  const burst = i % 60 === 41 || i % 60 === 42 ? 14_000 : 0;
  const packets = Math.round((wave + burst) * stepSecs);
  return {
    atMs,
    packets,
    bytes: packets * 640,
    flows: Math.round(packets / 40),
    kernelDrops: burst ? Math.round(packets * 0.004) : 0,
    alerts: burst ? 6 : random() > 0.78 ? 1 + Math.floor(random() * 3) : 0,
    blocks: burst ? 4 : random() > 0.9 ? 1 : 0,
  };
}

export function makeOverview(world: World, minutes: number): Overview {
  const toMs = Date.now();
  const stepSecs = minutes <= 60 ? 60 : minutes <= 360 ? 300 : 1200;
  return {
    fromMs: toMs - minutes * 60_000,
    toMs,
    stepSecs,
    protocols: [
      { name: 'TLS', flows: 41_000, packets: 22_000_000, bytes: 18_400_000_000 },
      { name: 'HTTP', flows: 9100, packets: 3_100_000, bytes: 2_900_000_000 },
      { name: 'SSH', flows: 420, packets: 880_000, bytes: 710_000_000 },
      { name: 'DNS', flows: 122_000, packets: 260_000, bytes: 41_000_000 },
      { name: 'ICMP', flows: 3100, packets: 22_000, bytes: 1_900_000 },
    ],
    talkers: VICTIMS.concat(OFFENDERS.slice(0, 2)).map((address, i) => ({
      address,
      flows: 9000 - i * 1200,
      packets: 4e6 / (i + 1),
      bytes: 9.2e9 / (i + 1) ** 1.4,
    })),
    offenders: OFFENDERS.slice(0, 5).map((address, i) => ({ address, alerts: 22 - i * 4, lastMs: toMs - i * 60_000 })),
    labels: KINDS.map((k, i) => ({ label: k.label, alerts: 40 - i * 5 })),
    severities: [
      { severity: 'critical', alerts: 4 },
      { severity: 'high', alerts: 11 },
    ],
    tiers: [
      { tier: 'signature', alerts: 31, blocks: 12 },
      { tier: 'behaviour', alerts: 44, blocks: 29 },
      { tier: 'classification', alerts: 18, blocks: 9 },
      { tier: 'anomaly', alerts: 23, blocks: 1 },
      { tier: 'intel', alerts: 6, blocks: 6 },
    ],
    timeline:
      minutes <= 60
        ? world.timeline.slice(-minutes)
        : makeTimeline(toMs, Math.floor((minutes * 60) / stepSecs), stepSecs),
  };
}

function makeFlows(nowMs: number): StoredFlow[] {
  return Array.from({ length: 120 }, (_, i) => {
    const udp = i % 3 === 0;
    const startUs = (nowMs - i * 9000 - 20_000) * 1000;
    return {
      id: nextId(),
      sensor: 'sensor-1',
      flowId: i + 1,
      communityId: '1:LQU9qZlK+B5F3KDmev6m5PMibrg=',
      ipVersion: 4,
      proto: udp ? 17 : 6,
      srcIp: i % 4 === 0 ? pick(OFFENDERS) : pick(VICTIMS),
      srcPort: 40_000 + i,
      dstIp: pick(VICTIMS),
      dstPort: udp ? 53 : pick([443, 80, 22]),
      startUs,
      endUs: startUs + Math.floor(random() * 4e7),
      packetsFwd: 1 + Math.floor(random() * 900),
      packetsBwd: Math.floor(random() * 1200),
      bytesFwd: 60 + Math.floor(random() * 90_000),
      bytesBwd: Math.floor(random() * 1_900_000),
      payloadFwd: 0,
      payloadBwd: 0,
      tcpFlagsFwd: 27,
      tcpFlagsBwd: 27,
      tcpState: 5,
      endReason: pick(['idle', 'closed', 'reset'] as const),
      vlan: 0,
      interfaceId: 0,
      icmpType: -1,
      icmpCode: -1,
      ...(udp ? { appProto: 'dns' } : {}),
    };
  });
}

export const newAlert = (world: World): AlertRow => {
  const kind = KINDS[0] as Kind;
  const alert = makeAlert(kind, Date.now(), world.incidents[0]?.id ?? nextId(), pick(OFFENDERS));
  return { ...alert, response: world.status.mode === 'enforce' ? 'blocked' : 'simulated' };
};

export const POLICY_YAML = `# Port scans and sweeps from outside.
name: scans
description: Blocks scanners that own their address.
when:
  labels: [port_scan, host_sweep]
  confidence: 0.8
  tiers_agree: 1
respond:
  - action: watch
    duration: 10m
  - action: block
    scope: ip
    duration: 1h
  - action: block
    scope: ip
    duration: 24h
limits:
  blocks_per_minute: 30
`;
