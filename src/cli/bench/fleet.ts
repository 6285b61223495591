import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { initFleet } from '../../fleet/index.js';
import { AppError } from '../../util/errors.js';
import type { BenchContext, BenchFigure, BenchSection } from './section.js';
import { startWorker, type Worker } from './worker-process.js';

const NATS_SERVER = '/usr/sbin/nats-server';
const NODES = 3;
const PORTS = { client: 34_222, cluster: 34_223, leaf: 34_224 };
const DECISIONS = 100_000;
const PORTION = 10_000;
const DETECTIONS_PER_SEC = 5000;
const DETECTION_SECS = 20;
const LIMIT_SECS = 300;

interface MemberState {
  connected: boolean;
  adopted: number;
  taken: number;
  different: number;
  known: number;
  waiting: number;
  spooled: number;
  dropped: number;
  rssMiB: number;
  peakMiB: number;
  cpuMs: number;
}

/** Three real NATS servers on loopback, and members as the server daemon has them: lag and memory under load. */
export const fleetSection: BenchSection = {
  name: 'fleet',
  title: `A fleet: three NATS servers, ${DECISIONS.toLocaleString('en')} decisions, ${DETECTIONS_PER_SEC.toLocaleString('en')} detections/s`,
  async run(context, skip) {
    if (!existsSync(NATS_SERVER)) {
      skip('nats-server is not installed');
      return [];
    }
    const bench = await openBench(context);
    try {
      return [...(await detections(bench, context)), ...(await decisions(bench, context))];
    } finally {
      bench.close();
    }
  },
};

interface Bench {
  nodes: ChildProcess[];
  member(name: string): Promise<Worker>;
  close(): void;
}

async function openBench({ dir, progress }: BenchContext): Promise<Bench> {
  const fleetDir = join(dir, 'fleet');
  const authority = initFleet({
    ...{ dir: fleetDir, fleet: 'bench', ports: PORTS, natsFolder: join(fleetDir, 'nats', '{node}') },
    nodes: Array.from({ length: NODES }, (_, i) => ({ name: `nats${i + 1}`, host: `127.78.0.${i + 1}` })),
    ...{ storeDir: join(dir, 'store', '{node}'), storeMiB: 2048, nowMs: Date.now() },
  });
  const roles = { server1: 'server', box1: 'box', box2: 'box', late: 'box', new: 'box' } as const;
  for (const [name, role] of Object.entries(roles)) {
    authority.join({ name, role, site: 'hq', out: join(fleetDir, 'members', name) });
  }
  const nodes: ChildProcess[] = [];
  const workers: Worker[] = [];
  progress('three NATS servers');
  for (let i = 1; i <= NODES; i++) {
    mkdirSync(join(dir, 'store', `nats${i}`), { recursive: true });
    nodes.push(spawn(NATS_SERVER, ['-c', join(fleetDir, 'nats', `nats${i}`, 'nats.conf')], { stdio: 'ignore' }));
  }
  return {
    nodes,
    async member(name) {
      const folder = join(fleetDir, 'members', name);
      const worker = startWorker('fleet', { folder, dataDir: join(dir, name), server: name === 'server1' });
      workers.push(worker);
      await until(worker, 'it is connected', (s) => s.connected);
      return worker;
    },
    close() {
      workers.forEach((worker) => worker.stop());
      nodes.forEach((node) => node.kill('SIGKILL'));
    },
  };
}

async function detections(bench: Bench, { progress }: BenchContext): Promise<BenchFigure[]> {
  const server = await bench.member('server1');
  const box = await bench.member('box1');
  progress('the first detection arrives when streams and leases are there');
  await ask(box, 'detect 1 1');
  await until(server, 'the first detection', (s) => s.taken > 0);
  const startMs = performance.now();
  const before = await ask(server, 'status');
  progress(`${DETECTIONS_PER_SEC} detections/s for ${DETECTION_SECS} s`);
  const total = DETECTIONS_PER_SEC * DETECTION_SECS;
  const half = await ask(box, `detect ${DETECTIONS_PER_SEC} ${DETECTION_SECS / 2}`);
  const last = await ask(box, `detect ${DETECTIONS_PER_SEC} ${DETECTION_SECS / 2}`);
  const after = await until(server, 'all detections', (s) => s.different > total);
  const secs = (performance.now() - startMs) / 1000;
  const lags = (await server.ask('lags')) as { lagP50Ms: number; lagP95Ms: number };
  return [
    figure(
      'fleet_detections',
      total / secs,
      '/s',
      `taken by one server, of ${DETECTIONS_PER_SEC}/s offered by one box`,
    ),
    figure(
      'fleet_detections_lost',
      total + 1 - after.different,
      'detections',
      `of ${total}; dropped by spools: ${last.dropped}`,
    ),
    figure(
      'fleet_detections_lag',
      lags.lagP95Ms,
      'ms',
      `p95 from the box to the server; median ${lags.lagP50Ms.toFixed(0)}`,
    ),
    figure(
      'fleet_box_memory',
      last.peakMiB,
      'MiB',
      `box at its largest; ${half.rssMiB} after half of them, ${last.rssMiB} at the end`,
    ),
    figure(
      'fleet_server_memory',
      after.peakMiB,
      'MiB',
      'server at its largest, with the id of every detection kept for the count',
    ),
    figure('fleet_server_cpu', ((after.cpuMs - before.cpuMs) * 1000) / total, 'us/detection', 'CPU time of the server'),
    figure('fleet_nats_memory', Math.max(...bench.nodes.map(residentMiB)), 'MiB', 'the largest NATS server'),
  ];
}

async function decisions(bench: Bench, { progress }: BenchContext): Promise<BenchFigure[]> {
  const speaker = await bench.member('box2');
  const listener = await bench.member('late');
  const before = { speaker: await ask(speaker, 'status'), listener: await ask(listener, 'status') };
  const cpu = (now: MemberState, then: MemberState): number => ((now.cpuMs - then.cpuMs) * 1000) / DECISIONS;
  progress(`${DECISIONS} decisions, signed, said, checked`);
  const startMs = performance.now();
  for (let said = 0; said < DECISIONS; said += PORTION) await ask(speaker, `say ${PORTION}`);
  const heard = await until(listener, 'all decisions', (s) => s.known >= DECISIONS);
  const heardSecs = (performance.now() - startMs) / 1000;
  const said = await until(speaker, 'the bucket has all', (s) => s.waiting === 0);
  const keptSecs = (performance.now() - startMs) / 1000;
  progress('a member that was away gets the whole list');
  const joinMs = performance.now();
  const joined = await until(await bench.member('new'), 'the whole list', (s) => s.known >= DECISIONS);
  const joinSecs = (performance.now() - joinMs) / 1000;
  return [
    figure(
      'fleet_decisions',
      DECISIONS / heardSecs,
      '/s',
      `from one box to the next, ${DECISIONS} at once, each signed and checked`,
    ),
    figure('fleet_decisions_kept', DECISIONS / keptSecs, '/s', 'confirmed by the bucket on three NATS servers'),
    figure('fleet_speaker_cpu', cpu(said, before.speaker), 'us/decision', 'CPU time of the box that says them'),
    figure('fleet_listener_cpu', cpu(heard, before.listener), 'us/decision', 'CPU time of a box that hears them'),
    figure('fleet_speaker_memory', said.peakMiB, 'MiB', 'the box that said them, at its largest'),
    figure('fleet_listener_memory', heard.peakMiB, 'MiB', 'a box that heard them, at its largest'),
    figure('fleet_join', joinSecs, 's', `until a box that has just started knows all ${joined.known}`),
    figure('fleet_join_cpu', joined.cpuMs / 1000, 's', 'CPU time of that box since its process began'),
    figure('fleet_nats_memory_after', Math.max(...bench.nodes.map(residentMiB)), 'MiB', 'the largest NATS server'),
  ];
}

const figure = (name: string, value: number, unit: string, text: string): BenchFigure => ({ name, value, unit, text });

async function ask(worker: Worker, command: string): Promise<MemberState> {
  return (await worker.ask(command)) as unknown as MemberState;
}

async function until(worker: Worker, what: string, holds: (state: MemberState) => boolean): Promise<MemberState> {
  const endMs = performance.now() + LIMIT_SECS * 1000;
  for (;;) {
    const state = await ask(worker, 'status');
    if (holds(state)) return state;
    if (performance.now() > endMs) {
      throw new AppError({
        kind: 'operational',
        code: 'bench.worker_failed',
        message: `The fleet bench waited ${LIMIT_SECS} s in vain for this: ${what}. ${JSON.stringify(state)}`,
      });
    }
    await sleep(50);
  }
}

function residentMiB({ pid }: ChildProcess): number {
  const kib = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
  return Math.round(Number(kib) / 1024);
}
