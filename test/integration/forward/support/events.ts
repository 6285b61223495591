import type { TestContext } from 'node:test';
import type { SiemEvent } from '../../../../src/domain/siem-event.js';
import {
  openForwarder,
  siemOptionsSchema,
  type Forwarder,
  type ForwarderDeps,
  type SiemOptions,
  type SiemOptionsInput,
} from '../../../../src/forward/index.js';
import { silentLogger } from '../../../../src/util/logger.js';
import { uuid7 } from '../../../../src/util/uuid7.js';

/** An alert whose message carries a number that a test finds again in what a receiver stored. */
export function numberedAlert(n: number): SiemEvent {
  const nowMs = Date.now();
  return {
    version: 1,
    kind: 'alert',
    id: uuid7(),
    tsMs: nowMs,
    sensor: 'sensor-1',
    severity: 'medium',
    message: `numbered event #${n}# of the test`,
    gid: 1,
    signatureId: 2001219,
    rev: 1,
    title: 'ET SCAN Potential SSH Scan',
    label: 'ssh_scan',
    category: 'Attempted Information Leak',
    tiers: ['signature'],
    score: 80,
    confidence: 0.9,
    src: { ip: '203.0.113.7', port: 40000 },
    dst: { ip: '10.0.0.5', port: 22 },
    proto: 6,
    count: 1,
    firstMs: nowMs,
    lastMs: nowMs,
    action: 'allowed',
    evidence: [],
  };
}

/** How often each number was stored. */
export function countNumbers(lines: readonly string[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const line of lines) {
    for (const match of line.matchAll(/#(\d+)#/g))
      counts.set(Number(match[1]), (counts.get(Number(match[1])) ?? 0) + 1);
  }
  return counts;
}

export interface Delivery {
  missing: number[];
  duplicates: number;
}

/** What of the numbers 0..sent-1 arrived. */
export function delivery(lines: readonly string[], sent: number): Delivery {
  const counts = countNumbers(lines);
  const missing: number[] = [];
  let duplicates = 0;
  for (let n = 0; n < sent; n++) {
    const count = counts.get(n) ?? 0;
    if (count === 0) missing.push(n);
    else duplicates += count - 1;
  }
  return { missing, duplicates };
}

/** Options without aggregation and with fast retries, so that every event is its own line. */
export function testOptions(
  destinations: SiemOptionsInput['destinations'],
  change: Partial<SiemOptionsInput> = {},
): SiemOptions {
  return siemOptionsSchema.parse({ aggregate: { window: 0 }, destinations, ...change });
}

export function testDeps(dataDir: string): {
  dataDir: string;
  log: typeof silentLogger;
  now: () => number;
  hostName: string;
} {
  return { dataDir, log: silentLogger, now: () => Date.now(), hostName: 'fw1' };
}

/** A forwarder that is closed when the test ends, however it ends. */
export async function openTestForwarder(t: TestContext, options: SiemOptions, deps: ForwarderDeps): Promise<Forwarder> {
  const forwarder = await openForwarder(options, deps);
  t.after(() => forwarder.close(0));
  return forwarder;
}
