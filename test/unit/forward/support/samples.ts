import type { SiemAlertEvent, SiemDecisionEvent, SiemEvent } from '../../../../src/domain/siem-event.js';
import type { FormatContext } from '../../../../src/forward/index.js';

export const CONTEXT: FormatContext = {
  productVersion: '1.2.3',
  hostName: 'fw1.example.net',
  hostIp: '192.0.2.1',
  add: [['site', 'hq']],
  cefVersion: 0,
  dataset: 'portcullis.event',
  namespace: 'default',
  splunkSourcetype: 'portcullis:event',
};

const T0 = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

export const ALERT: SiemAlertEvent = {
  version: 1,
  kind: 'alert',
  id: '019b7c1e-0000-7000-8000-000000000001',
  alertId: '019b7c1e-0000-7000-8000-000000000001',
  tsMs: T0,
  sensor: 'sensor-1',
  severity: 'high',
  message: '212 distinct ports in 2 s; usual: 3',
  gid: 2,
  signatureId: 1001,
  rev: 3,
  title: 'TCP port scan',
  label: 'port_scan',
  category: 'Attempted Information Leak',
  tiers: ['behaviour', 'signature'],
  score: 87.5,
  confidence: 0.93,
  attack: {
    tacticId: 'TA0043',
    tacticName: 'Reconnaissance',
    techniqueId: 'T1046',
    techniqueName: 'Network Service Discovery',
  },
  src: { ip: '203.0.113.7', port: 40001, mac: '02:00:00:aa:bb:cc' },
  dst: { ip: '10.0.0.5', port: 22 },
  proto: 6,
  appProto: 'ssh',
  direction: 'inbound',
  communityId: '1:wCb3OG7yAFWelaUydu0D+125CLM=',
  flowId: 1234567890123,
  bytesFwd: 12800,
  bytesBwd: 640,
  packetsFwd: 212,
  packetsBwd: 8,
  count: 1,
  firstMs: T0 - 2000,
  lastMs: T0,
  action: 'blocked',
  decisionId: '019b7c1e-0000-7000-8000-00000000000d',
  incidentId: '019b7c1e-0000-7000-8000-00000000000c',
  interfaceName: 'wan0',
  evidence: [
    { name: 'distinct_ports', value: 212, unit: 'ports', usual: 3, text: '212 distinct ports in 2 s; usual: 3' },
    { name: 'syn_without_answer', value: 0.98, contribution: 0.6 },
  ],
};

export const AGGREGATED: SiemAlertEvent = {
  ...ALERT,
  id: '019b7c1e-0000-7000-8000-000000000002',
  severity: 'medium',
  tiers: ['signature'],
  gid: 1,
  signatureId: 2001219,
  title: 'ET SCAN Potential SSH Scan',
  attack: { techniqueId: 'T1110.001', techniqueName: 'Password Guessing' },
  count: 418,
  firstMs: T0 - 60_000,
  action: 'allowed',
};

export const ALERT_IPV6: SiemAlertEvent = {
  ...ALERT,
  id: '019b7c1e-0000-7000-8000-000000000003',
  severity: 'low',
  src: { ip: '2001:db8::dead:beef', port: 50000 },
  dst: { ip: '2001:db8:1::5', port: 443 },
  direction: 'outbound',
  appProto: 'tls',
  action: 'simulated',
  evidence: [],
};

export const BLOCK: SiemDecisionEvent = {
  version: 1,
  kind: 'decision',
  id: '019b7c1e-0000-7000-8000-000000000004',
  tsMs: T0 + 3,
  sensor: 'sensor-1',
  severity: 'high',
  message: 'Started block of 203.0.113.7: port scan of 212 ports',
  op: 'block',
  decisionId: '019b7c1e-0000-7000-8000-00000000000d',
  action: 'block',
  scope: 'ip',
  target: '203.0.113.7',
  durationSecs: 3600,
  expiresMs: T0 + 3_600_003,
  policy: 'block-scanners',
  origin: 'policy',
  actor: 'block-scanners',
  reason: 'port scan of 212 ports',
  alertIds: ['019b7c1e-0000-7000-8000-000000000001'],
  set: 'block4',
  outcome: 'success',
  latencyUs: 1840,
  signature: 'TCP port scan',
  category: 'Attempted Information Leak',
  dst: { ip: '10.0.0.5', port: 22 },
};

export const UNBLOCK: SiemDecisionEvent = {
  ...BLOCK,
  id: '019b7c1e-0000-7000-8000-000000000005',
  op: 'unblock',
  severity: 'info',
  tsMs: T0 + 60_000,
  message: 'Ended block of 203.0.113.7: released by operator',
  reason: 'released by operator',
  origin: 'operator',
  actor: 'alice',
  user: 'alice',
  hitPackets: 912,
  hitBytes: 54720,
};

export const REFUSED: SiemDecisionEvent = {
  ...BLOCK,
  id: '019b7c1e-0000-7000-8000-000000000006',
  op: 'refused',
  severity: 'medium',
  scope: 'cidr',
  target: '198.51.100.0/24',
  message: 'Refused block of 198.51.100.0/24: holds the protected address 198.51.100.9',
  reason: 'holds the protected address 198.51.100.9',
  outcome: 'failure',
  error: 'protected: gateway',
};

export const HOSTILE: SiemAlertEvent = {
  ...ALERT,
  id: '019b7c1e-0000-7000-8000-000000000007',
  title: ' a|b\\c=d\n<13>forged\u001b[31m red\u0000 ',
  category: 'x=y|z\\',
  label: '=\\|',
  message: 'line one\r\nCEF:0|Evil|x|1|1|forged|10|src=6.6.6.6\tact=allowed \u202e\ud800 end\\',
  appProto: 'h=t|p',
  evidence: [{ name: 'http.uri', value: '/?a=1|2\\3\n\n"\u0007' }],
};

export const GAP: SiemEvent = {
  version: 1,
  kind: 'gap',
  id: '019b7c1e-0000-7000-8000-000000000008',
  tsMs: T0,
  sensor: 'sensor-1',
  severity: 'high',
  message: '17 events lost for soc: spool_limit',
  destination: 'soc',
  dropped: 17,
  fromMs: T0 - 1000,
  toMs: T0,
  cause: 'spool_limit',
};

export const HEALTH: SiemEvent = {
  version: 1,
  kind: 'health',
  id: '019b7c1e-0000-7000-8000-000000000009',
  tsMs: T0,
  sensor: 'sensor-1',
  severity: 'medium',
  message: 'sensor lost wan0',
  component: 'sensor',
  status: 'failed',
  details: { 'interface.name': 'wan0', drops: 12 },
};

export const AUDIT: SiemEvent = {
  version: 1,
  kind: 'audit',
  id: '019b7c1e-0000-7000-8000-00000000000a',
  tsMs: T0,
  sensor: 'sensor-1',
  severity: 'info',
  message: 'alice released 203.0.113.7',
  user: 'alice',
  address: '192.0.2.9',
  action: 'decision.release',
  object: 'decision 019b7c1e-0000-7000-8000-00000000000d',
  outcome: 'success',
  details: { mfa: 'totp' },
};

/** Every case that has a golden line in every format. */
export const SAMPLES: Readonly<Record<string, SiemEvent>> = {
  alert: ALERT,
  'aggregated alert': AGGREGATED,
  'IPv6 alert': ALERT_IPV6,
  block: BLOCK,
  unblock: UNBLOCK,
  refused: REFUSED,
  'hostile strings': HOSTILE,
  gap: GAP,
  health: HEALTH,
  audit: AUDIT,
};
