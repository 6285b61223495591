import type { Alert } from '../../../src/domain/alert.js';

export const T0 = Date.UTC(2026, 0, 5, 12);

/** A port scan from outside. */
export function makeAlert(overrides: Partial<Alert> = {}): Alert {
  return {
    id: 'a1',
    key: 'k',
    incidentId: 'i',
    sensor: 's',
    title: 'Port scan',
    label: 'port_scan',
    category: '',
    tiers: ['behaviour'],
    severity: 'high',
    score: 1,
    confidence: 1,
    offender: '203.0.113.7',
    victim: '192.168.1.2',
    spoofable: false,
    signatureId: 1,
    gid: 2,
    rev: 1,
    evidence: [],
    metadata: {},
    count: 1,
    firstMs: T0,
    lastMs: T0,
    state: 'open',
    noBlock: false,
    packetUs: T0 * 1000,
    detectedUs: T0 * 1000,
    victims: [],
    ports: [],
    srcIp: '203.0.113.7',
    srcPort: 1,
    dstIp: '192.168.1.2',
    dstPort: 80,
    proto: 6,
    ...overrides,
  };
}
