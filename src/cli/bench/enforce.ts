import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Decision } from '../../domain/decision.js';
import {
  createBackendFactory,
  createLayout,
  createResponder,
  enforceOptionsSchema,
  type KernelOp,
  type Responder,
} from '../../enforce/index.js';
import { nowUs } from '../../util/clock.js';
import { errorMessage } from '../../util/errors.js';
import { parseIp } from '../../util/ip.js';
import { LatencyHistogram } from '../../util/latency-histogram.js';
import { uuid7 } from '../../util/uuid7.js';
import { bouncerItself } from './enforce-bouncer.js';
import { decisionFor } from './enforce-decisions.js';
import { openInteractiveNft } from './nft-interactive.js';
import { fail2banWays } from './enforce-fail2ban.js';
import type { BenchContext, BenchFigure, BenchSection } from './section.js';
import type { BlocksAnswer, BlocksTask } from './tasks/blocks.js';
import { startWorker } from './worker-process.js';

const HOSTS = 100_000;
const PREFIXES = 10_000;
const MANY = 500_000;
const RATE = 500;
const RATE_SECS = 3;
/** Decisions in a part of the server's list. */
const PER_PART = 200;
const URGENT_EVERY_MS = 5;

/** How soon a decision is in the kernel, alone, in a stream, and beside a large list; loading and restoring that list. */
export const enforceSection: BenchSection = {
  name: 'enforce',
  title: 'Decisions into the kernel',
  async run(context, skip) {
    const netns = `portcullis-bench-${process.pid}-e`;
    try {
      execFileSync('ip', ['netns', 'add', netns], { stdio: 'pipe' });
    } catch (error) {
      skip(`needs root and iproute2: ${errorMessage(error)}`);
      return [];
    }
    try {
      const own = await measure(netns, context);
      own.push(...(await many(netns, context)));
      context.progress('the ways of others');
      return [...own, ...fail2banWays(netns, skip), ...(await bouncerItself(netns, context.dir, skip))];
    } finally {
      execFileSync('ip', ['netns', 'delete', netns], { stdio: 'pipe' });
    }
  },
};

/** Half a million blocks, in processes that do nothing else: time and memory. */
async function many(netns: string, context: BenchContext): Promise<BenchFigure[]> {
  const figures: BenchFigure[] = [];
  for (const what of ['load', 'start'] as const) {
    context.progress(`${MANY} blocks: ${what}`);
    const task: BlocksTask = { what, netns, stateDir: join(context.dir, 'many'), hosts: MANY };
    const worker = startWorker('blocks', task);
    const { ms, cpuMs, peakMb, desired } = (await worker.next()) as unknown as BlocksAnswer;
    worker.stop();
    const text = `${what === 'load' ? 'taking in' : 'start with'} ${desired} blocks, in parts as from the server`;
    figures.push(figure(`${what}_500k_time`, ms, 'ms', `${text} (${Math.round(cpuMs)} ms CPU)`));
    figures.push(
      figure(`${what}_500k_memory`, Math.round(peakMb), 'MB', `highest memory of the process, ${desired} blocks`),
    );
  }
  return figures;
}

type Reported = (id: string, kernelUs: number) => void;

/** A responder in the namespace, whose reports go to `reported`. */
function makeResponder(netns: string, dir: string, on: { reported: Reported }): Responder {
  const options = enforceOptionsSchema.parse({
    backend: 'nftables',
    log_blocked: false,
    state_dir: join(dir, 'responder'),
    guard: { max_changes_per_minute: 1_000_000 },
  });
  return createResponder(
    options,
    { netns },
    {
      report: (reports) => reports.forEach((r) => on.reported(r.decisionId, r.kernelUs)),
      state: () => undefined,
      hits: () => undefined,
      incident: () => undefined,
    },
  );
}

async function measure(netns: string, context: BenchContext): Promise<BenchFigure[]> {
  context.progress('ways to add an element');
  const figures = await waysToAdd(netns);
  const on: { reported: Reported } = { reported: () => undefined };
  let responder = makeResponder(netns, context.dir, on);
  await responder.start();
  try {
    figures.push(...(await alone(responder, on, 'empty')));
    context.progress('loading a large list');
    figures.push(await load(responder));
    figures.push(...(await alone(responder, on, '100k')));
    context.progress(`${RATE} decisions a second`);
    figures.push(...(await stream(responder, on)));
    context.progress('urgent blocks while a list loads');
    figures.push(...(await besideFeed(responder, on)));
    context.progress('healing and restoring');
    await load(responder, 0);
    figures.push(await heal(responder, netns));
    await responder.stop();
    responder = makeResponder(netns, context.dir, on);
    const cpuBefore = process.cpuUsage();
    const startMs = performance.now();
    await responder.start();
    const ms = performance.now() - startMs;
    const text = `start with ${responder.state().desired} blocks in the journal (${cpuMsSince(cpuBefore)} ms CPU besides nft)`;
    figures.push(figure('restore_time', ms, 'ms', text));
  } finally {
    await responder.stop();
  }
  return figures;
}

function figure(name: string, value: number, unit: string, text: string): BenchFigure {
  return { name: `enforce_${name}`, value: Math.round(value * 1000) / 1000, unit, text };
}

function cpuMsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return Math.round((user + system) / 1000);
}

function quantiles(name: string, h: LatencyHistogram, text: string): BenchFigure[] {
  return [
    figure(`${name}_p50`, h.quantile(0.5) / 1000, 'ms', `${text}, median`),
    figure(`${name}_p99`, h.quantile(0.99) / 1000, 'ms', `${text}, 99th percentile of ${h.count}`),
  ];
}

let serial = 0;

/** Addresses of 198.18.0.0/15 (RFC 2544: for measurements), each used once. */
function nextAddress(): string {
  serial += 1;
  return `198.${18 + ((serial >> 16) & 1)}.${(serial >> 8) & 255}.${serial & 255}`;
}

/** The three ways to add an element, bare: netlink, a persistent `nft -i`, a process for each; empty set and 100k. */
async function waysToAdd(netns: string): Promise<BenchFigure[]> {
  const layout = createLayout(enforceOptionsSchema.parse({ table: 'bench', log_blocked: false }));
  const backend = createBackendFactory({ netns })('netlink');
  await backend.open(layout);
  const figures: BenchFigure[] = [];
  const op = (): KernelOp => ({
    kind: 'add',
    element: { set: 'block4_32', ip: parseIp(nextAddress())! },
    timeoutMs: 3_600_000,
  });
  const nftArguments = (): string => `add element inet bench block4_32 { ${nextAddress()} timeout 1h }`;
  try {
    await backend.replace(layout, []);
    const interactive = openInteractiveNft(netns);
    await interactive.run('list tables');
    for (const size of ['empty', '100k']) {
      if (size === '100k') {
        const startMs = performance.now();
        for (let done = 0; done < HOSTS; done += 2500) await backend.apply(layout, Array.from({ length: 2500 }, op));
        const text = `${HOSTS} elements over netlink in transactions of 2500, bare`;
        figures.push(figure('load_bare', performance.now() - startMs, 'ms', text));
      }
      const netlink = await timed(300, () => backend.apply(layout, [op()]));
      const kept = await timed(100, () => interactive.run(nftArguments()));
      const command = ['netns', 'exec', netns, 'nft'];
      const spawned = await timed(40, () => execFileSync('ip', [...command, ...nftArguments().split(' ')]));
      figures.push(
        ...quantiles(`add_netlink_${size}`, netlink, `one element over netlink, ${size} set`),
        ...quantiles(`add_nft_interactive_${size}`, kept, `one element through a persistent nft -i, ${size} set`),
        ...quantiles(`add_nft_process_${size}`, spawned, `one element by a process (ip netns exec nft), ${size} set`),
      );
    }
    await interactive.close();
    await backend.remove(layout);
  } finally {
    await backend.close();
  }
  return figures;
}

async function timed(times: number, action: () => unknown): Promise<LatencyHistogram> {
  const h = new LatencyHistogram();
  for (let i = 0; i < times + 10; i++) {
    const startMs = performance.now();
    await action();
    if (i >= 10) h.add((performance.now() - startMs) * 1000);
    await sleep(1);
  }
  return h;
}

/** Sends decisions as `send` says and measures each from when it was due (now, if not said) to the kernel's answer. */
async function watchLatency(
  on: { reported: Reported },
  send: (decide: (d: Decision, r: Responder, dueUs?: number) => void) => Promise<void>,
): Promise<LatencyHistogram> {
  const h = new LatencyHistogram();
  const sentUs = new Map<string, number>();
  on.reported = (id, kernelUs) => {
    const us = sentUs.get(id);
    if (us !== undefined && kernelUs > 0) h.add(kernelUs - us);
  };
  await send((d, r, dueUs = nowUs()) => {
    sentUs.set(d.id, dueUs);
    r.decide(d);
  });
  on.reported = () => undefined;
  return h;
}

/** One decision at a time through the whole responder: guard, plan, kernel. */
async function alone(responder: Responder, on: { reported: Reported }, size: string): Promise<BenchFigure[]> {
  const h = await watchLatency(on, async (decide) => {
    for (let i = 0; i < 200; i++) {
      decide(decisionFor(nextAddress()), responder);
      await responder.idle();
      await sleep(10);
    }
  });
  return quantiles(`decision_${size}`, h, `one decision through the responder, ${size} list`);
}

async function load(responder: Responder, prefixCount = PREFIXES): Promise<BenchFigure> {
  const hosts = Array.from({ length: HOSTS }, (_, i) =>
    decisionFor(`100.${64 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`, 'feed'),
  );
  const prefixes = Array.from({ length: prefixCount }, (_, i) => decisionFor(`101.${i >> 8}.${i & 255}.0/24`, 'feed'));
  // As it comes from the bus: texts read from JSON, not glued together a moment ago.
  const list = JSON.parse(JSON.stringify([...hosts, ...prefixes])) as Decision[];
  const cpuBefore = process.cpuUsage();
  const startMs = performance.now();
  await responder.sync(list);
  await responder.idle();
  const ms = performance.now() - startMs;
  const text = `${HOSTS} hosts and ${prefixCount} prefixes through the responder, journal included (${cpuMsSince(cpuBefore)} ms CPU)`;
  return figure('load_time', ms, 'ms', text);
}

async function stream(responder: Responder, on: { reported: Reported }): Promise<BenchFigure[]> {
  const h = await watchLatency(on, async (decide) => {
    const startMs = performance.now();
    for (let sent = 0; sent < RATE * RATE_SECS;) {
      const due = Math.min(RATE * RATE_SECS, Math.ceil(((performance.now() - startMs) / 1000) * RATE));
      while (sent < due) {
        decide(decisionFor(nextAddress()), responder);
        sent += 1;
      }
      await sleep(1);
    }
    await responder.idle();
  });
  return quantiles('stream', h, `${RATE} decisions a second for ${RATE_SECS} s beside ${HOSTS} blocks`);
}

/**
 * Urgent decisions while another feed of the same size is being taken in, one due every {@link URGENT_EVERY_MS}: what the
 * event loop is late for one counts.
 */
async function besideFeed(responder: Responder, on: { reported: Reported }): Promise<BenchFigure[]> {
  // In parts, each a line of the bus, as the server sends it.
  const lines = Array.from({ length: HOSTS / PER_PART }, (_, part) =>
    JSON.stringify(
      Array.from({ length: PER_PART }, (_, i) => {
        const n = part * PER_PART + i;
        return decisionFor(`102.${n >> 16}.${(n >> 8) & 255}.${n & 255}`, 'feed');
      }),
    ),
  );
  const h = await watchLatency(on, async (decide) => {
    let isLoading = true;
    const feed = (async () => {
      // The list stays open, so that nothing is lifted at its end.
      const id = uuid7();
      for (const line of lines) await responder.sync(JSON.parse(line) as Decision[], { syncId: id, last: false });
      await responder.idle();
      isLoading = false;
    })();
    for (let dueUs = nowUs(); isLoading; dueUs += URGENT_EVERY_MS * 1000) {
      const waitUs = dueUs - nowUs();
      if (waitUs > 0) await sleep(waitUs / 1000);
      decide(decisionFor(nextAddress(), 'operator'), responder, dueUs);
    }
    await feed;
  });
  return quantiles('urgent_beside_feed', h, `an operator's block while a feed of ${HOSTS} loads`);
}

/** From "nft flush ruleset" by somebody else until everything is back. */
async function heal(responder: Responder, netns: string): Promise<BenchFigure> {
  const before = responder.state().stats['decisions_rebuilds'];
  execFileSync('ip', ['netns', 'exec', netns, 'nft', 'flush', 'ruleset'], { stdio: 'pipe' });
  const startMs = performance.now();
  while (responder.state().stats['decisions_rebuilds'] === before) await sleep(20);
  const n = responder.state().desired;
  return figure('heal_time', performance.now() - startMs, 'ms', `everything back after a foreign flush, ${n} blocks`);
}
