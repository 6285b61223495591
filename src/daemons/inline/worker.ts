import type { LoadedConfig } from '../../config/index.js';
import type { InlineCommand, InlineDrop, InlineMode, InlineStages } from '../../contract/inline.js';
import type { Detection } from '../../domain/detection.js';
import type { Severity } from '../../domain/severity.js';
import {
  marksFrom,
  NF_ACCEPT,
  NF_DROP,
  openRawSender,
  OverloadGate,
  PacketQueue,
  type QueuedPacket,
  type RawSender,
} from '../../inline/index.js';
import type { Policy } from '../../policy/index.js';
import { nowUs } from '../../util/clock.js';
import { errorMessage } from '../../util/errors.js';
import type { Logger } from '../../util/logger.js';
import { watchReadable } from '../../util/poll.js';
import { createDetectionGate } from '../sensor/detection-gate.js';
import { createSignatures } from '../signatures.js';
import { DropBook } from './drop-book.js';
import type { InspectorDeps, VerdictSink } from './inspector-deps.js';
import { Inspector } from './inspector.js';
import { InlineJudge } from './judge.js';
import { rehearse } from './rehearsal.js';
import { RecentBlocks } from './recent-blocks.js';
import { createReload } from './reload.js';
import { StageClock } from './stage-clock.js';

/** Batches read before timers and messages get their turn. */
const BATCHES_PER_TURN = 8;
const HOLD_CHECK_MS = 5;
/** Packets wait no longer than this while rules are compiled, but for one group of rules. */
const RELOAD_SLICE_MS = 1;
const TICK_MS = 100;
/** Latency is told of the last one to two of these. */
const LATENCY_WINDOW_MS = 10_000;
/** For packets that no kernel waits for. */
const NOWHERE: VerdictSink = { verdict: () => undefined, hold: () => undefined, released: () => undefined };
const GATE = { intervalUs: 250_000, maxKeys: 20_000 };

/** What a worker tells the daemon. */
export interface WorkerSink {
  detection(detection: Detection): void;
  drops(drops: InlineDrop[]): void;
  transition(what: { severity: Severity; code: string; message: string; details: Record<string, number> }): void;
}

export interface WorkerState {
  isOverloaded: boolean;
  held: number;
  latency: { count: number; p50Us: number; p95Us: number; p99Us: number };
  stages: InlineStages;
  counts: Record<string, number>;
}

/** One process's share of the work: a queue, and everything that judges its packets. */
export interface Worker {
  /** Rules are reloaded meanwhile; everything else is in force when it returns. */
  command(command: InlineCommand): void;
  state(): WorkerState;
  /** Judges what waits for at most this long, then gives the queue back. */
  stop(drainMs: number): Promise<void>;
}

/** @throws AppError inline.queue_failed, inline.raw_socket */
export function startWorker(config: LoadedConfig, number: number, out: WorkerSink, log: Logger): Worker {
  const options = config.inline;
  const isOpen = options.fail === 'open';
  const judge = new InlineJudge(config.policy.home_networks);
  const drops = new DropBook();
  const gate = createDetectionGate(GATE, (detection) => out.detection(detection));
  const overload = new OverloadGate({
    maxLatencyMs: options.overload.max_latency_ms,
    recoverMs: options.overload.recover_ms,
  });
  const raw = openRaw(options.resets, marksFrom(options.mark_bit).own);
  const blocks = new RecentBlocks();
  const deps: InspectorDeps = {
    sink: NOWHERE,
    marks: marksFrom(options.mark_bit),
    judge,
    drops,
    raw,
    isBlocked: (p) => blocks.has(p),
    emit: gate.push,
  };
  const inspector = new Inspector(options, config, deps);
  const { enabled: _enabled, bypass: _bypass, ...signature } = config.detect.signature;
  const stream = { ...signature.stream, inspect: 'arrival' as const, midstream: true };
  const signatures = createSignatures(
    { ...signature, stream, inline: true },
    {
      sensor: `${config.name}`,
      emit: (detection) => inspector.onDetection(detection, false),
      emitQuietly: (detection) => inspector.onDetection(detection, true),
    },
  );
  for (const problem of signatures.problems) log.warn({ ...problem }, 'a rule was skipped');
  inspector.attach(signatures.observer);
  rehearse(inspector);
  const queue = new PacketQueue({
    number,
    maxPackets: options.queue.max_packets,
    copyBytes: options.queue.copy_bytes,
    gso: options.queue.gso,
    failOpen: isOpen,
    socketBufferBytes: options.queue.socket_buffer_mib * 1024 * 1024,
  });
  deps.sink = {
    verdict: (id, verdict, mark) => queue.verdict(id, verdict, mark),
    hold: () => queue.hold(),
    released: () => void queue.held--,
  };

  const counts = { unjudged: 0, overloads: 0, reloads: 0 };
  const reload = createReload(async () => {
    for (const problem of await signatures.reload(RELOAD_SLICE_MS)) log.warn({ ...problem }, 'a rule was skipped');
    counts.reloads++;
    log.info({ rules: signatures.observer.stats()['signature_rules'] }, 'The rules are reloaded.');
  }, reloadFailed);
  const clock = new StageClock(PacketQueue.batch);

  function onPacket(q: QueuedPacket): void {
    const atUs = nowUs();
    const receivedUs = q.receivedUs > 0 ? q.receivedUs : atUs;
    if (isOpen && overload.note((atUs - receivedUs) / 1000, atUs / 1000) === 'entered') entered();
    if (overload.isOverloaded) {
      counts.unjudged++;
      queue.verdict(q.id, NF_ACCEPT, -1);
      clock.packet(receivedUs, atUs, atUs, atUs);
      return;
    }
    inspector.onQueued(q, atUs);
    clock.packet(receivedUs, atUs, inspector.decodedUs, nowUs());
  }

  function entered(): void {
    counts.overloads++;
    inspector.releaseAll(NF_ACCEPT);
    out.transition({
      severity: 'high',
      code: 'inline.overloaded',
      message: `Packets waited longer than ${options.overload.max_latency_ms} ms for their verdict: traffic passes unjudged until it is over.`,
      details: { unjudged: counts.unjudged, overloads: counts.overloads },
    });
  }

  function reloadFailed(error: unknown): void {
    log.error({ err: error }, 'The rules could not be reloaded.');
    out.transition({
      severity: 'high',
      code: 'inline.reload_failed',
      message: `The rules could not be reloaded: ${errorMessage(error)} Packets are judged by the old ones.`,
      details: {},
    });
  }

  function left(): void {
    out.transition({
      severity: 'info',
      code: 'inline.recovered',
      message: 'The overload is over: packets are judged again.',
      details: { unjudged: counts.unjudged, overloads: counts.overloads },
    });
  }

  function turn(): void {
    for (let i = 0; i < BATCHES_PER_TURN; i++) {
      // Until nothing is left: a call that finds nothing costs less than a turn of the event loop for what came meanwhile.
      if (queue.drain(onPacket) === 0) return;
      clock.sent(nowUs());
    }
  }

  const watch = watchReadable(queue.fd, turn);
  const timers = [
    setInterval(() => {
      if (queue.held === 0) return;
      inspector.releaseOverdue(performance.now());
      queue.flush();
    }, HOLD_CHECK_MS),
    setInterval(() => {
      const atUs = nowUs();
      inspector.tick(atUs);
      gate.tick(atUs);
      queue.flush();
      if (overload.tick(atUs / 1000) === 'left') left();
      blocks.forgetOld(performance.now());
    }, TICK_MS),
    setInterval(() => {
      const stopped = drops.take();
      if (stopped.length > 0) out.drops(stopped);
    }, 1000),
    setInterval(() => clock.turn(), LATENCY_WINDOW_MS),
  ];

  return {
    command(command) {
      switch (command.type) {
        case 'mode':
          setMode(command.mode);
          return;
        case 'policies':
          judge.setPolicies(command.policies as Policy[]);
          return;
        case 'block':
          blocks.add(command.value, performance.now());
          return;
        case 'reload':
          reload();
          return;
        case 'exempt':
      }
    },
    state() {
      return {
        isOverloaded: overload.isOverloaded,
        held: queue.held,
        ...clock.summary(),
        counts: {
          packets: queue.packets,
          verdict_errors: queue.verdictErrors,
          malformed_messages: queue.malformed,
          drops_not_reported: drops.overflow,
          ...counts,
          ...inspector.stats(),
        },
      };
    },
    async stop(drainMs) {
      const untilMs = performance.now() + drainMs;
      // Nothing new comes when the rules are gone: two quiet turns mean that nothing waits.
      for (let quiet = 0; quiet < 2 && performance.now() < untilMs;) {
        const before = queue.packets;
        turn();
        quiet = queue.packets === before ? quiet + 1 : 0;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      for (const timer of timers) clearInterval(timer);
      inspector.releaseAll(isOpen ? NF_ACCEPT : NF_DROP);
      queue.flush();
      watch.close();
      queue.close();
      gate.flush();
      const stopped = drops.take();
      if (stopped.length > 0) out.drops(stopped);
      raw?.close();
    },
  };

  function setMode(mode: InlineMode): void {
    judge.mode = mode;
    if (mode === 'enforce') return;
    inspector.releaseAll(NF_ACCEPT);
    queue.flush();
  }
}

/** What we send ourselves is marked, so that it is not queued. Without the right to, nothing is rejected, only dropped. */
function openRaw(isWanted: boolean, mark: number): RawSender | undefined {
  try {
    return openRawSender({ mark });
  } catch (error) {
    if (isWanted) throw error;
    return undefined;
  }
}
