import { resolve } from 'node:path';
import { SIEM_EVENT_VERSION, type SiemEvent } from '../domain/siem-event.js';
import { errorMessage } from '../util/errors.js';
import { uuid7 } from '../util/uuid7.js';
import { Aggregator } from './aggregate.js';
import { createDeadLetters, type DeadLetter, type DeadLetters } from './dead-letter.js';
import { countReplayable, findDeliveries, type EventDeliveries, type ReplayableGap } from './deliveries.js';
import { Destination } from './destination.js';
import type { DestinationState, DestinationStatus } from './destination-status.js';
import { formatContext, type ForwarderDeps } from './context.js';
import { FORMATTERS } from './formats/index.js';
import { GapLog } from './gap-log.js';
import { GapReporter } from './gaps.js';
import type { SiemOptions } from './options.js';
import type { Receipt } from './receipts.js';
import { createRedactor } from './redact.js';
import type { ReplayStatus } from './replay.js';
import { Replays } from './replays.js';
import { checkSiemOptions, problemsError, resolveDestination, type DestinationSettings } from './settings.js';
import { Spool } from './spool/spool.js';
import { noSuchDestination, testDestination, type TestResult } from './test-destination.js';
import { createTransport } from './transports/index.js';

export interface ForwarderStats {
  pushed: number;
  /** Events that failed inside `push`; each is logged. */
  failed: number;
  merged: number;
  aggregationKeys: number;
  spooled: number;
  refused: number;
  droppedByLimit: number;
  spoolBytes: number;
  spoolPending: number;
  spoolError: string;
}

/** Names of destinations by what a reconfiguration did to them. */
export interface ReconfigureResult {
  added: string[];
  changed: string[];
  removed: string[];
  unchanged: string[];
}

/** Takes events and sees to it that every SIEM gets them. */
export interface Forwarder {
  /** Never waits, never throws, bounded. */
  push(event: SiemEvent): void;
  /** Sends one harmless event over a connection of its own and reports the bytes and the answer. */
  test(name: string): Promise<TestResult>;
  status(): DestinationStatus[];
  /** The newest confirmations of a destination. */
  receipts(name: string, limit: number): Receipt[];
  /** What a destination lost, newest first. */
  gaps(name: string, limit: number): Promise<ReplayableGap[]>;
  /** What a receiver refused for good, newest first. */
  deadLetters(name: string, limit: number): Promise<DeadLetter[]>;
  /** Sends again what the spool holds of a time span. @throws AppError siem.* */
  replay(name: string, fromMs: number, toMs: number): Promise<ReplayStatus>;
  lastReplay(name: string): ReplayStatus | undefined;
  /** Did the SIEM get it? By the id of an event, an alert or a decision. */
  deliveries(id: string): Promise<EventDeliveries[]>;
  /** Applies new options; on any problem throws and changes nothing. Unchanged destinations go on undisturbed. */
  reconfigure(options: SiemOptions): Promise<ReconfigureResult>;
  stats(): ForwarderStats;
  /** Sends what is there and waits for confirmation, at most so long; the rest stays in the spool. */
  close(timeoutMs: number): Promise<void>;
}

const TICK_MS = 1000;

/** Opens the spool and starts every destination. @throws AppError with all problems of the options at once. */
export async function openForwarder(options: SiemOptions, deps: ForwarderDeps): Promise<Forwarder> {
  const problems = checkSiemOptions(options, deps.dataDir, deps.configDir);
  if (problems.length > 0) throw problemsError(problems);
  const dir = resolve(deps.dataDir, options.spool.dir);
  const spool = await Spool.open({ dir, ...spoolLimits(options), log: deps.log });
  return new RunningForwarder(options, deps, spool, await GapLog.open(dir, deps.log));
}

function spoolLimits(options: SiemOptions): Omit<Parameters<typeof Spool.open>[0], 'dir' | 'log'> {
  const { spool } = options;
  return {
    maxBytes: spool.max_bytes,
    maxAgeSecs: spool.max_age,
    segmentBytes: spool.segment_bytes,
    fsyncMs: spool.fsync_ms,
    pendingBytes: spool.memory_bytes,
    keepSecs: spool.keep_confirmed,
    keepBytes: spool.keep_confirmed_bytes,
  };
}

class RunningForwarder implements Forwarder {
  private options: SiemOptions;
  private readonly deps: ForwarderDeps;
  private readonly spool: Spool;
  private readonly destinations = new Map<string, Destination>();
  private readonly gapReporter: GapReporter;
  private readonly gapLog: GapLog;
  private readonly dead: DeadLetters;
  private readonly replays: Replays;
  private aggregator: Aggregator;
  private redact: (event: SiemEvent) => SiemEvent;
  private readonly ticker: NodeJS.Timeout;
  private pushed = 0;
  private failed = 0;
  private closed = false;

  constructor(options: SiemOptions, deps: ForwarderDeps, spool: Spool, gapLog: GapLog) {
    this.options = options;
    this.deps = deps;
    this.spool = spool;
    this.gapLog = gapLog;
    this.gapReporter = new GapReporter(
      deps.hostName,
      (event) => spool.append(event),
      (event) => gapLog.add(event),
    );
    this.dead = createDeadLetters(spool.dir, deps.log);
    this.replays = new Replays(spool);
    this.aggregator = new Aggregator(options.aggregate, (event) => this.keep(event));
    this.redact = createRedactor(options.redact);
    for (const destination of options.destinations) this.startDestination(this.settingsOf(destination));
    spool.onAppend(() => {
      for (const destination of this.destinations.values()) destination.notify();
    });
    this.ticker = setInterval(() => this.tick(), TICK_MS);
    this.ticker.unref();
  }

  push(event: SiemEvent): void {
    if (this.closed) return;
    this.pushed++;
    if (this.destinations.size === 0) return;
    try {
      this.aggregator.push(this.redact(event), this.deps.now());
    } catch (error) {
      this.failed++;
      this.deps.log.error({ error: errorMessage(error), eventId: event.id }, 'siem: an event could not be taken');
    }
  }

  test(name: string): Promise<TestResult> {
    return testDestination(this.options, name, this.deps);
  }

  status(): DestinationStatus[] {
    return [...this.destinations.values()].map((destination) => destination.status());
  }

  stats(): ForwarderStats {
    const spool = this.spool.stats();
    return {
      pushed: this.pushed,
      failed: this.failed,
      merged: this.aggregator.merged,
      aggregationKeys: this.aggregator.keys,
      spooled: spool.appended,
      refused: spool.refused,
      droppedByLimit: spool.droppedByLimit,
      spoolBytes: spool.bytes,
      spoolPending: spool.pending,
      spoolError: spool.writeError,
    };
  }

  async reconfigure(options: SiemOptions): Promise<ReconfigureResult> {
    const problems = checkSiemOptions(options, this.deps.dataDir, this.deps.configDir);
    if (options.spool.dir !== this.options.spool.dir) {
      problems.push({
        path: 'siem.spool.dir',
        message: 'The spool directory cannot change while events are in it.',
        fix: 'Restart the server to use the new directory.',
      });
    }
    if (problems.length > 0) throw problemsError(problems);
    const result: ReconfigureResult = { added: [], changed: [], removed: [], unchanged: [] };
    const wanted = new Map(options.destinations.filter((d) => d.enabled).map((d) => [d.name, d]));
    for (const name of wanted.keys()) if (!this.destinations.has(name)) result.added.push(name);
    for (const [name, running] of this.destinations) {
      const next = wanted.get(name);
      const isSame = next && JSON.stringify(next) === JSON.stringify(running.settings.options);
      result[!next ? 'removed' : isSame ? 'unchanged' : 'changed'].push(name);
      if (isSame) continue;
      this.destinations.delete(name);
      await running.stop();
    }
    this.options = options;
    this.spool.setLimits(spoolLimits(options));
    this.aggregator.flush();
    this.aggregator = new Aggregator(options.aggregate, (event) => this.keep(event));
    this.redact = createRedactor(options.redact);
    for (const destination of options.destinations) {
      if (!this.destinations.has(destination.name)) this.startDestination(this.settingsOf(destination));
    }
    return result;
  }

  receipts(name: string, limit: number): Receipt[] {
    return this.need(name).receipts.list(limit);
  }

  async gaps(name: string, limit: number): Promise<ReplayableGap[]> {
    const { wants } = this.need(name);
    return countReplayable(this.gapLog.list(name).slice(0, limit), this.spool, wants);
  }

  async deadLetters(name: string, limit: number): Promise<DeadLetter[]> {
    this.need(name);
    return this.dead.list(name, limit);
  }

  replay(name: string, fromMs: number, toMs: number): Promise<ReplayStatus> {
    const destination = this.need(name);
    const context = formatContext(destination.settings, this.deps);
    const transport = createTransport(destination.settings, { ...context, record: false });
    return this.replays.start(destination, transport, { fromMs, toMs, nowMs: this.deps.now() });
  }

  lastReplay(name: string): ReplayStatus | undefined {
    this.need(name);
    return this.replays.lastOf(name);
  }

  deliveries(id: string): Promise<EventDeliveries[]> {
    return findDeliveries(id, this.spool, this.destinations.values(), this.gapLog);
  }

  async close(timeoutMs: number): Promise<void> {
    if (this.closed) return;
    const deadlineMs = performance.now() + timeoutMs;
    clearInterval(this.ticker);
    this.aggregator.flush();
    this.gapReporter.flush();
    this.closed = true;
    await this.replays.close();
    await this.spool.flush();
    const running = [...this.destinations.values()];
    await Promise.all(running.map((destination) => destination.drain(deadlineMs)));
    await Promise.all(running.map((destination) => destination.stop()));
    await this.spool.close();
    await this.gapLog.close();
  }

  private need(name: string): Destination {
    const found = this.destinations.get(name);
    if (!found) throw noSuchDestination(name, [...this.destinations.keys()]);
    return found;
  }

  private settingsOf(options: SiemOptions['destinations'][number]): DestinationSettings {
    return resolveDestination(options, this.deps.configDir ?? this.deps.dataDir);
  }

  private startDestination(settings: DestinationSettings): void {
    if (!settings.options.enabled) return;
    const context = formatContext(settings, this.deps);
    const destination = new Destination(settings, {
      consumer: this.spool.consumer(settings.name),
      transport: createTransport(settings, { ...context, record: false }),
      format: FORMATTERS[settings.format],
      context,
      deadLetters: this.dead,
      log: this.deps.log,
      now: () => this.deps.now(),
      onGap: (name, dropped, cause, fromMs = this.deps.now(), toMs = fromMs) =>
        this.gapReporter.note(name, dropped, cause, fromMs, toMs),
      onState: (name, state, detail) => this.reportState(name, state, detail),
    });
    this.destinations.set(settings.name, destination);
    destination.start();
  }

  private tick(): void {
    this.aggregator.tick(this.deps.now());
    this.gapReporter.flush();
  }

  private keep(event: SiemEvent): void {
    if (!this.spool.append(event)) this.gapReporter.note(undefined, 1, 'spool_full', event.tsMs);
  }

  /** A destination that changes state is news for the other destinations too. */
  private reportState(name: string, state: DestinationState, detail: string): void {
    const level = state === 'ok' && detail === '' ? 'info' : 'warn';
    this.deps.log[level]({ destination: name, state, detail }, 'siem: destination changed state');
    this.keep({
      version: SIEM_EVENT_VERSION,
      kind: 'health',
      id: uuid7(),
      tsMs: this.deps.now(),
      sensor: this.deps.hostName,
      severity: state === 'ok' ? (detail === '' ? 'info' : 'medium') : 'medium',
      message: `SIEM destination ${name} is ${state}${detail === '' ? '' : `: ${detail}`}`,
      component: `siem.${name}`,
      status: state === 'ok' ? (detail === '' ? 'ok' : 'warning') : state === 'misconfigured' ? 'failed' : 'warning',
      details: { state, detail },
    });
  }
}
