import { INLINE_STAGES, type InlineMode, type InlineStages, type InlineState } from '../../contract/inline.js';
import { readQueues, type KernelCounters } from '../../inline/index.js';
import type { WorkerReport } from './pool.js';

/** Packets that wait in the kernel for our queues, from /proc/net/netfilter/nfnetlink_queue. */
export function queueDepth(first: number, fanout: number, text = readQueues()): { waiting: number; dropped: number } {
  let waiting = 0;
  let dropped = 0;
  for (const line of text.split('\n')) {
    // Number, port id, waiting, copy mode, copy range, dropped in the queue, dropped for the user, id, 1.
    const fields = line.trim().split(/\s+/).map(Number);
    const [number = -1, , depth = 0, , , full = 0, forUser = 0] = fields;
    if (fields.length < 7 || number < first || number >= first + fanout) continue;
    waiting += depth;
    dropped += full + forUser;
  }
  return { waiting, dropped };
}

/** Of each stage the slowest process. */
function slowest(all: readonly InlineStages[]): InlineStages {
  const worst = (stage: keyof InlineStages, key: 'p50Us' | 'p99Us'): number =>
    Math.max(...all.map((s) => s[stage][key]));
  return Object.fromEntries(
    INLINE_STAGES.map((stage) => [stage, { p50Us: worst(stage, 'p50Us'), p99Us: worst(stage, 'p99Us') }]),
  ) as InlineStages;
}

/** What the daemon tells the server once a second. */
export function toState(
  mode: InlineMode,
  backend: string,
  reports: readonly WorkerReport[],
  kernel: KernelCounters,
  queues: { waiting: number; dropped: number },
): InlineState {
  const workers = reports.map((report) => report.state);
  const counts: Record<string, number> = { queue_dropped: queues.dropped };
  for (const worker of workers)
    for (const [name, value] of Object.entries(worker.counts)) counts[name] = (counts[name] ?? 0) + value;
  for (const [name, { packets, bytes }] of Object.entries(kernel)) {
    counts[`kernel_${name}_packets`] = packets;
    counts[`kernel_${name}_bytes`] = bytes;
  }
  const forwarded = kernel.bypassed.bytes + kernel.chosen.bytes;
  const worst = (key: 'p50Us' | 'p95Us' | 'p99Us'): number => Math.max(0, ...workers.map((w) => w.latency[key]));
  return {
    mode,
    backend,
    state: mode === 'off' ? 'off' : workers.some((w) => w.isOverloaded) ? 'overloaded' : 'judging',
    queueDepth: queues.waiting,
    held: workers.reduce((sum, w) => sum + w.held, 0),
    latency: {
      count: workers.reduce((sum, w) => sum + w.latency.count, 0),
      p50Us: worst('p50Us'),
      p95Us: worst('p95Us'),
      p99Us: worst('p99Us'),
    },
    ...(workers.length > 0 && { stages: slowest(workers.map((w) => w.stages)) }),
    bypassedShare: forwarded === 0 ? 0 : kernel.bypassed.bytes / forwarded,
    counts,
    workers: reports.map(({ queue, isAlive, state }) => ({
      queue,
      alive: isAlive,
      overloaded: state.isOverloaded,
      held: state.held,
      judged: state.counts['judged'] ?? 0,
      latency: state.latency,
    })),
  };
}
