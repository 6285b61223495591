import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { correlateOptionsSchema, createCorrelator } from '../../src/correlate/index.js';
import { createDecisionBook } from '../../src/daemons/server/decisions.js';
import { createJudge } from '../../src/daemons/server/judge.js';
import type { Detection } from '../../src/domain/detection.js';
import { alertToSiemEvent, openForwarder, type Forwarder } from '../../src/forward/index.js';
import { createPolicyEngine, parsePolicy, policyOptionsSchema } from '../../src/policy/index.js';
import { uuid7 } from '../../src/util/uuid7.js';
import { numberedAlert, testDeps, testOptions } from '../integration/forward/support/events.js';
import { waitFor } from '../integration/forward/support/receivers.js';

const EVERY_MS = 5;
const BLOCKS = 300;
/** Alerts that wait for the SIEM when the measurement starts, and that come in while it runs. */
const BACKLOG = 20_000;
const PER_BLOCK = 5;

const POLICY = `format: 1
name: all
description: Everything is blocked.
priority: 1
respond: { ladder: [{ action: block, scope: ip, duration: 1h }] }
caps: { blocks_per_minute: 100000, active: 100000 }
`;

/** The server's way from a detection to the responder, with the forwarder behind it as in the daemon. */
function createBlockPath(forwarder: Forwarder, sent: (decisionId: string) => void) {
  const policy = parsePolicy(POLICY, 'all.yaml');
  assert.ok(policy.ok, JSON.stringify(policy));
  const engine = createPolicyEngine(policyOptionsSchema.parse({}), {
    findProtected: () => undefined,
    findAllowed: () => undefined,
    blastRadius: () => undefined,
    mode: () => 'enforce',
    pausedUntilMs: () => 0,
    newId: uuid7,
  });
  engine.setPolicies([policy.policy]);
  const book = createDecisionBook({
    name: 'fw1',
    toResponders(command) {
      if (command.type === 'decide') sent(command.decision.value);
      return 1;
    },
    queue: () => undefined,
    toSiem: (event) => forwarder.push(event),
    changed: () => undefined,
    ended: engine.ended,
    answered: () => undefined,
  });
  const judge = createJudge({
    engine,
    book,
    condemn: () => undefined,
    judged: ({ alert, isNew }) => forwarder.push(alertToSiemEvent(alert, { isNew })),
  });
  return createCorrelator(correlateOptionsSchema.parse({}), { emit: judge, newId: uuid7 });
}

function detection(i: number): Detection {
  const atUs = Date.now() * 1000;
  const offender = `198.18.${i >> 8}.${i & 255}`;
  return {
    ...{ id: uuid7(), tier: 'signature', signatureId: 1, gid: 1, rev: 1, label: 'test', title: 'A rule' },
    ...{ category: 'c', severity: 'high', score: 1, confidence: 1, offender, spoofable: false, evidence: [] },
    ...{ packetUs: atUs, detectedUs: atUs, sensor: 's', srcIp: offender, srcPort: 1, dstIp: '192.0.2.1', dstPort: 80 },
    proto: 6,
  };
}

/** From the moment a detection is due to the moment its block leaves: the event loop's lag is in it. */
async function measure(forwarder: Forwarder, disturb: () => void = () => undefined): Promise<number[]> {
  const leftAt = new Map<string, number>();
  const correlator = createBlockPath(forwarder, (value) => leftAt.set(value, performance.now()));
  for (let n = 0; n < BACKLOG; n++) {
    forwarder.push(numberedAlert(n));
    if (n % 500 === 499) await new Promise((resolve) => setImmediate(resolve));
  }
  const latencies: number[] = [];
  const startMs = performance.now() + 50;
  for (let i = 0; i < BLOCKS; i++) {
    const dueMs = startMs + i * EVERY_MS;
    const restMs = dueMs - performance.now();
    if (restMs > 0) await new Promise((resolve) => setTimeout(resolve, restMs));
    disturb();
    const d = detection(i);
    correlator.push(d);
    latencies.push(leftAt.get(d.offender)! - dueMs);
    for (let k = 0; k < PER_BLOCK; k++) forwarder.push(numberedAlert(BACKLOG + i * PER_BLOCK + k));
  }
  return latencies.sort((a, b) => a - b);
}

const at = (sorted: readonly number[], share: number): number => sorted[Math.floor(sorted.length * share)] ?? Infinity;

describe('the way of a block through the server', () => {
  let dir = '';
  const servers: Server[] = [];
  const sockets: Socket[] = [];
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'portcullis-latency-'));
  });
  after(() => {
    for (const socket of sockets) socket.destroy();
    for (const server of servers) server.close();
    rmSync(dir, { recursive: true, force: true });
  });

  function listen(onSocket: (socket: Socket) => void): Promise<number> {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      onSocket(socket);
    });
    servers.push(server);
    return new Promise((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
    });
  }

  async function withDestination<T>(port: number, work: (forwarder: Forwarder) => Promise<T>): Promise<T> {
    const options = testOptions([{ name: 'a', preset: 'rsyslog', transport: { host: '127.0.0.1', port } }]);
    const forwarder = await openForwarder(options, testDeps(mkdtempSync(join(dir, 'run-'))));
    try {
      return await work(forwarder);
    } finally {
      await forwarder.close(0);
    }
  }

  it('is as short with a dead or a stalled SIEM as with a healthy one', async (t) => {
    const healthyPort = await listen((socket) => {
      socket.resume();
      socket.on('end', () => socket.end());
    });
    const stalledPort = await listen((socket) => socket.pause());
    // The first run warms the code up for all.
    await withDestination(healthyPort, measure);
    const healthy = await withDestination(healthyPort, async (forwarder) => {
      const latencies = await measure(forwarder);
      await waitFor('the healthy one gets something', () => forwarder.status()[0]!.confirmed > 0);
      return latencies;
    });
    const dead = await withDestination(1, async (forwarder) => {
      const latencies = await measure(forwarder);
      assert.equal(forwarder.status()[0]!.confirmed, 0);
      return latencies;
    });
    const stalled = await withDestination(stalledPort, async (forwarder) => {
      const latencies = await measure(forwarder);
      assert.equal(forwarder.status()[0]!.confirmed, 0);
      return latencies;
    });
    const text = (l: readonly number[]): string => `p50 ${at(l, 0.5).toFixed(2)} ms, p95 ${at(l, 0.95).toFixed(2)} ms`;
    t.diagnostic(`healthy: ${text(healthy)}; dead: ${text(dead)}; stalled: ${text(stalled)}`);
    for (const [name, latencies] of [
      ['dead', dead],
      ['stalled', stalled],
    ] as const) {
      // A milliseconds' allowance for the scheduler of a busy machine; a retry that blocks would cost far more.
      assert.ok(
        at(latencies, 0.5) <= at(healthy, 0.5) * 1.5 + 2,
        `${name}: ${text(latencies)}, healthy: ${text(healthy)}`,
      );
      assert.ok(
        at(latencies, 0.95) <= at(healthy, 0.95) * 1.5 + 10,
        `${name}: ${text(latencies)}, healthy: ${text(healthy)}`,
      );
    }
  });

  it('the measurement notices a forwarder that blocks', async () => {
    const blocked = await withDestination(1, (forwarder) =>
      measure(forwarder, () => {
        const untilMs = performance.now() + EVERY_MS * 1.5;
        while (performance.now() < untilMs);
      }),
    );
    assert.ok(at(blocked, 0.5) > 20, `p50 ${at(blocked, 0.5)} ms`);
  });
});
