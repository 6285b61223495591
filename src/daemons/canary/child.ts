import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { openAfpacketSource } from '../../capture/index.js';
import { correlateOptionsSchema, createCorrelator } from '../../correlate/index.js';
import { createBehaviour, type BehaviourOptions } from '../../detect/behaviour/index.js';
import { createPolicyEngine, parsePolicy, policyOptionsSchema, type PolicyEngine } from '../../policy/index.js';
import { nowUs } from '../../util/clock.js';
import { errorMessage } from '../../util/errors.js';
import { uuid7 } from '../../util/uuid7.js';
import { createPipeline } from '../pipeline.js';

/** What a helper of the canary is asked to be, in the namespace that it was started in. */
export type CanaryTask =
  | { role: 'sensor'; interface: string; openPort: number; behaviour: BehaviourOptions }
  | { role: 'attacker'; target: string; openPort: number; ports: number };

/** The box's own policies may say anything; that a scanner is blocked here is what is to be shown. */
const POLICY = `
format: 1
name: canary
description: The canary's scanner is blocked.
when: { labels: [port_scan] }
respond: { ladder: [{ action: block, scope: ip, duration: 1m }] }
`;

const CONNECT_MS = 2000;
const FIRST_PROBE = 10_000;

function tell(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

function createEngine(): PolicyEngine {
  const engine = createPolicyEngine(policyOptionsSchema.parse({}), {
    mode: () => 'enforce',
    pausedUntilMs: () => 0,
    newId: uuid7,
    findProtected: () => undefined,
    findAllowed: () => undefined,
    blastRadius: () => undefined,
  });
  const parsed = parsePolicy(POLICY, 'canary');
  if (!parsed.ok) throw new Error(parsed.problems.map((p) => p.message).join(', '));
  engine.setPolicies([parsed.policy]);
  return engine;
}

/** Capture, flows, behaviour, correlation and policies as they run on the box; tells the first decision. */
async function watch(task: Extract<CanaryTask, { role: 'sensor' }>): Promise<void> {
  const engine = createEngine();
  let detectedUs = 0;
  const correlator = createCorrelator(correlateOptionsSchema.parse({}), {
    newId: uuid7,
    emit({ alert }) {
      const { decision } = engine.judge(alert, Date.now());
      if (decision) {
        tell({ decision, label: alert.label, packetUs: alert.packetUs, detectedUs, decidedUs: nowUs() });
      }
    },
  });
  const behaviour = createBehaviour(task.behaviour, {
    sensor: 'canary',
    nowUs,
    emit(detection) {
      detectedUs = nowUs();
      correlator.push(detection);
    },
  });
  const pipeline = createPipeline({}, { observers: [behaviour] });
  const source = await openAfpacketSource({ interface: task.interface, ringMiB: 4, blockKiB: 64 });
  const stop = new AbortController();
  const server = createServer((socket) => socket.end()).listen(task.openPort);
  await once(server, 'listening');
  tell({ ready: true });
  process.stdin.resume().once('end', () => stop.abort());
  await source.run((block) => pipeline.push(block), stop.signal);
  source.close();
  server.close();
}

/** Connects to a port that answers, which proves the address, and then to ports that do not. */
async function attack(task: Extract<CanaryTask, { role: 'attacker' }>): Promise<void> {
  tell({ ready: true });
  await once(process.stdin, 'data');
  await attempt(task.target, task.openPort);
  for (let i = 0; i < task.ports; i++) await attempt(task.target, FIRST_PROBE + i);
  tell({ done: true });
  process.stdin.destroy();
}

function attempt(host: string, port: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const done = (): void => {
      socket.destroy();
      resolve();
    };
    socket.setTimeout(CONNECT_MS, done).once('connect', done).once('error', done);
  });
}

const task = JSON.parse(process.argv[2] ?? '{}') as CanaryTask;
(task.role === 'sensor' ? watch(task) : attack(task)).catch((error: unknown) => {
  tell({ failed: errorMessage(error) });
  process.exitCode = 3;
});
