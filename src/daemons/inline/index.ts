import { busSocketPath, runBusClient, type Incoming } from '../../bus/index.js';
import type { LoadedConfig } from '../../config/index.js';
import type { InlineMode } from '../../contract/inline.js';
import { createBox, ProtectedCollector } from '../../enforce/index.js';
import { createQueueRules, openAlive, wantTimestamps, type Backend, type KernelCounters } from '../../inline/index.js';
import { AppError } from '../../util/errors.js';
import type { Logger } from '../../util/logger.js';
import { VERSION } from '../../util/version.js';
import { openFolder } from '../folders.js';
import { waitForAbort } from '../wait.js';
import { exemptAddresses } from './exempt.js';
import { recall, remember } from './memory.js';
import { createMender } from './mender.js';
import { startPool, type WorkerPool } from './pool.js';
import { toState, queueDepth } from './state.js';
import type { WorkerSink } from './worker.js';

/** Longest wait for what is queued when judging ends. */
const DRAIN_MS = 1000;
const NO_TRAFFIC = { packets: 0, bytes: 0 };
const NO_COUNTERS: KernelCounters = {
  exempt: NO_TRAFFIC,
  cut: NO_TRAFFIC,
  bypassed: NO_TRAFFIC,
  chosen: NO_TRAFFIC,
  unwatched: NO_TRAFFIC,
};

/**
 * The inline daemon: chosen packets wait in the kernel until they are judged. Listens first, then lets packets come; stops
 * the other way round, so that no connection notices. Resolves when the signal aborts.
 */
export async function runInline(
  config: LoadedConfig,
  log: Logger,
  signal: AbortSignal,
  ready: () => void,
): Promise<void> {
  const options = config.inline;
  if (!options.enabled) throw notEnabled();
  openFolder(options.state_dir, 'inline.state_dir', 0o700);
  const memory = recall(options.state_dir);
  const isOpen = options.fail === 'open';
  const rules = createQueueRules(options);
  const timestamps = wantTimestamps();
  const found = await new ProtectedCollector(createBox()).collect(config.enforce.guard.protected, performance.now());
  const own = [...exemptAddresses(found), ...options.exclude];
  let exempt = new Set([...own, ...memory.exempt]);
  let backend: Backend | undefined;
  let pool: WorkerPool | undefined;
  let alive: ReturnType<typeof openAlive> | undefined;
  let kernel = NO_COUNTERS;
  let orders: Promise<void> = Promise.resolve();
  let renewedMs = performance.now();
  const goodbye = new AbortController();
  const bus = runBusClient(
    {
      role: 'inline',
      path: busSocketPath(config.runtime_dir, 'inline'),
      name: config.name,
      info: () => ({ version: VERSION, backend: backend ?? '' }),
      onMessage: (message) => void (orders = orders.then(() => obey(message)).catch(failed)),
      log,
    },
    goodbye.signal,
  );
  const out: WorkerSink = {
    detection: (detection) => bus.send({ type: 'detection', detection }),
    drops: (drops) => bus.send({ type: 'drops', drops }),
    transition(what) {
      log.warn({ code: what.code, details: what.details }, what.message);
      bus.send({ type: 'transition', ...what });
    },
  };

  async function begin(): Promise<void> {
    if (pool) return;
    const started = await startPool(config, out, log);
    started.command({ type: 'policies', policies: memory.policies });
    started.command({ type: 'mode', mode: memory.mode });
    try {
      backend = await rules.install(exempt);
      alive ??= isOpen ? openAlive() : undefined;
      renewedMs = performance.now();
      alive?.renew(options.alive_ms);
    } catch (error) {
      await rules.remove().catch(() => undefined);
      await started.stop(0);
      throw error;
    }
    pool = started;
    tell('info', 'inline.started', `Packets are judged (${memory.mode}, ${backend}, fail ${options.fail}).`);
  }

  async function end(why: string): Promise<void> {
    if (!pool) return;
    const ended = pool;
    pool = undefined;
    alive?.renew(0);
    await rules.remove();
    await ended.stop(DRAIN_MS);
    tell('medium', 'inline.stopped', `Packets are no longer judged: ${why}. Traffic passes.`);
  }

  async function setMode(mode: InlineMode): Promise<void> {
    if (mode === memory.mode && (mode === 'off') === (pool === undefined)) return;
    memory.mode = mode;
    remember(options.state_dir, memory);
    if (mode === 'off') return end('it was switched off');
    await begin();
    pool?.command({ type: 'mode', mode });
    log.info({ mode }, 'The mode of inline verdicts is set.');
  }

  async function obey(message: Incoming<'inline'>): Promise<void> {
    if (message.type === 'mode') return setMode(message.mode);
    if (message.type === 'exempt') {
      memory.exempt = message.addresses;
      remember(options.state_dir, memory);
      exempt = new Set([...own, ...message.addresses]);
      if (pool) await rules.setExempt(exempt);
      return;
    }
    if (message.type === 'policies') {
      memory.policies = message.policies;
      remember(options.state_dir, memory);
    }
    pool?.command(message);
  }

  function failed(error: unknown): void {
    const problem = error instanceof AppError ? error : undefined;
    log.error({ err: error }, 'A command of the server failed.');
    tell('high', problem?.code ?? 'inline.command_failed', problem?.message ?? 'A command of the server failed.');
  }

  function tell(severity: 'info' | 'medium' | 'high', code: string, message: string): void {
    out.transition({ severity, code, message, details: {} });
  }

  /** Shows the kernel that somebody judges. After a standstill it says so: traffic went its way meanwhile. */
  function showLife(): void {
    if (!pool) return;
    const nowMs = performance.now();
    const areAlive = pool.areAlive(options.alive_ms);
    pool.replaceDead(3 * options.alive_ms);
    const goneMs = Math.round(nowMs - renewedMs);
    if (!areAlive) return;
    const errno = alive?.renew(options.alive_ms) ?? 0;
    renewedMs = nowMs;
    if (errno !== 0) mend();
    if (goneMs < options.alive_ms) return;
    const what = isOpen ? 'traffic passed unjudged' : 'chosen traffic waited or was dropped';
    tell('high', 'inline.stalled', `Nobody judged packets for ${goneMs} ms: ${what}.`);
  }

  /** Somebody removed our table, or reloaded the ruleset of the box. */
  async function repair(): Promise<void> {
    if (!pool) return;
    backend = await rules.install(exempt);
    alive?.renew(options.alive_ms);
    tell('medium', 'inline.rules_restored', 'The rules of the packet queue were gone and are loaded again.');
  }

  const mend = createMender({
    repair,
    failed,
    inTurn(task) {
      const done = orders.then(task);
      orders = done.catch(() => undefined);
      return done;
    },
  });

  /** Sees once a second whether the rules are there, and tells the server how the daemon fares. */
  function report(): void {
    if (pool && backend && !rules.areThere(backend)) mend();
    if (pool) kernel = rules.counters() ?? kernel;
    const { first, fanout } = options.queue;
    const reports = pool?.workers(options.alive_ms) ?? [];
    const state = toState(memory.mode, backend ?? '', reports, kernel, queueDepth(first, fanout));
    bus.send({ type: 'state', atMs: Date.now(), state });
  }

  const timers: NodeJS.Timeout[] = [];
  try {
    if (memory.mode !== 'off') {
      // In turn with what the server says meanwhile: two that begin at once would both want the queue.
      const begun = orders.then(begin);
      orders = begun.catch(() => undefined);
      await begun;
    }
    timers.push(setInterval(showLife, Math.max(50, options.alive_ms / 4)));
    timers.push(setInterval(report, 1000));
    ready();
    await waitForAbort(signal);
  } finally {
    for (const timer of timers) clearInterval(timer);
    await orders;
    // Closed means that nothing passes unjudged, also while we are away; only switching off opens the way.
    if (isOpen) await end('the daemon ends').catch(failed);
    else await pool?.stop(DRAIN_MS);
    alive?.close();
    rules.close();
    timestamps.close();
    goodbye.abort();
    await bus.done;
  }
}

function notEnabled(): AppError {
  return new AppError({
    kind: 'user',
    code: 'inline.not_enabled',
    message: 'Inline verdicts are not switched on.',
    fix: 'Set inline.enabled: true in the configuration; docs/inline.md says what else to choose.',
  });
}
