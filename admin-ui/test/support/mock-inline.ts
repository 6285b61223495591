import type { InlineDrop, InlineMode } from '../../../src/contract/inline.js';
import type { InlineStatus } from '../../../src/contract/http.js';

/** A box without inline verdicts. */
export const NOT_INLINE: InlineStatus = {
  enabled: false,
  connected: false,
  mode: 'observe',
  effectiveMode: 'observe',
  fail: 'open',
  lastSeenMs: 0,
  state: null,
};

type Worker = NonNullable<NonNullable<InlineStatus['state']>['workers']>[number];

export function makeWorker(queue: number, other: Partial<Worker> = {}): Worker {
  const latency = { count: 602_331, p50Us: 61, p95Us: 142, p99Us: 390 };
  return { queue, alive: true, overloaded: false, held: 0, judged: 602_000, latency, ...other };
}

export function makeInline(nowMs: number, mode: InlineMode = 'enforce'): InlineStatus {
  return {
    enabled: true,
    connected: true,
    mode,
    effectiveMode: mode,
    fail: 'open',
    lastSeenMs: nowMs - 400,
    state: {
      mode,
      backend: 'nft',
      state: mode === 'off' ? 'off' : 'judging',
      queueDepth: 3,
      held: 1,
      latency: { count: 1_204_331, p50Us: 61, p95Us: 142, p99Us: 390 },
      stages: {
        wait: { p50Us: 30, p99Us: 300 },
        decode: { p50Us: 1, p99Us: 3 },
        judge: { p50Us: 8, p99Us: 60 },
        verdict: { p50Us: 9, p99Us: 40 },
      },
      bypassedShare: 0.874,
      counts: {
        judged: 1_204_331,
        judged_bytes: 644_120_000,
        dropped: 41,
        dropped_bytes: 30_100,
        would_drop: 0,
        flows_cut: 12,
        conflicts: 2,
        exception_midstream: 7,
        exception_urgent: 1,
        queue_dropped: 0,
        unjudged: 0,
        kernel_exempt_packets: 5510,
      },
      workers: [
        makeWorker(0, { held: 1 }),
        makeWorker(1, { latency: { count: 602_000, p50Us: 58, p95Us: 120, p99Us: 350 } }),
      ],
    },
  };
}

export function makeDrop(nowMs: number, number: number, other: Partial<InlineDrop> = {}): InlineDrop {
  return {
    id: `01960000-0000-7000-9000-${number.toString(16).padStart(12, '0')}`,
    verdict: 'drop',
    simulated: false,
    gid: 1,
    signatureId: 9_000_101 + number,
    title: 'WEB SQL injection in a query <b>not bold</b>',
    severity: 'high',
    policy: 'exploit-inline',
    srcIp: '203.0.113.7',
    srcPort: 40_112 + number,
    dstIp: '192.0.2.10',
    dstPort: 80,
    proto: 6,
    packets: 3,
    bytes: 2210,
    firstMs: nowMs - 60_000 * number - 4000,
    lastMs: nowMs - 60_000 * number,
    ...other,
  };
}

export const makeDrops = (nowMs: number): InlineDrop[] => [
  makeDrop(nowMs, 0),
  makeDrop(nowMs, 1, { simulated: true, verdict: 'reject', srcIp: '2001:db8::7' }),
  makeDrop(nowMs, 2, { signatureId: 0, gid: 0, policy: '', title: 'exception: midstream', severity: 'low' }),
];
