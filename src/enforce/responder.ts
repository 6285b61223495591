import type { AllowEntry, Decision, ProtectedEntry } from '../domain/decision.js';
import { nowUs } from '../util/clock.js';
import { errorMessage } from '../util/errors.js';
import { silentLogger } from '../util/logger.js';
import { uuid7 } from '../util/uuid7.js';
import { AllowNames } from './allow-names.js';
import { CanarySchedule } from './canary/schedule.js';
import { runDoctor } from './doctor/doctor.js';
import { answerExplain } from './explain.js';
import { createBackendFactory, openBackend } from './backend/open.js';
import { createDryRunBackend } from './backend/dry-run-backend.js';
import type { Clock, Core, ResponderEmit, ResponderState } from './core.js';
import { ConnectionCleaner } from './connections.js';
import { DecisionBook } from './decisions.js';
import { ExemptBook } from './exempt.js';
import { HitReader } from './hits.js';
import { Journal, readJournal } from './journal.js';
import type { JournalRecord } from './journal-record.js';
import { createLayout } from './layout.js';
import { Ledger } from './ledger.js';
import type { EnforceOptions } from './options.js';
import { createBox, interfaceNames } from './protect/box.js';
import { ProtectWatch } from './protect/watch.js';
import { Pump } from './pump.js';
import { releaseProtected } from './release-protected.js';
import type { Question, Responder, ResponderDeps } from './responder-face.js';
import { describeState } from './responder-state.js';
import { describeRuleset } from './ruleset-view.js';
import { ListSync } from './sync.js';
import { TableLoader } from './table-loader.js';
import { tellBackendError, tellJournalError, tellStart } from './troubles.js';
import { Truth } from './truth.js';

const STATE_EVERY_MS = 1000;
const EXPIRE_EVERY_MS = 200;

const systemClock: Clock = { monoMs: () => performance.now(), wallMs: () => Date.now(), us: nowUs };

export function createResponder(options: EnforceOptions, deps: ResponderDeps, emit: ResponderEmit): Responder {
  return new ResponderImpl(options, deps, emit);
}

class ResponderImpl implements Responder {
  private readonly core: Core;
  private readonly deps: ResponderDeps;
  private readonly book: DecisionBook;
  private readonly exempt: ExemptBook;
  private readonly truth: Truth;
  private readonly hits: HitReader;
  private readonly watch: ProtectWatch;
  private readonly names: AllowNames;
  private readonly canaries: CanarySchedule;
  private readonly loader: TableLoader;
  private readonly list: ListSync;
  private timers: NodeJS.Timeout[] = [];
  private started: Promise<void> | undefined;
  private counters: Record<string, { packets: number; bytes: number }> = {};

  constructor(options: EnforceOptions, deps: ResponderDeps, emit: ResponderEmit) {
    this.deps = deps;
    const clock = deps.clock ?? systemClock;
    const log = deps.log ?? silentLogger;
    const pump = new Pump(options.batch_window_ms, {
      apply: (ops) => this.core.backend.apply(this.core.layout, ops),
      rebuild: () => this.loader.load('the table was missing'),
      nowMs: clock.monoMs,
      onError: (error) => tellBackendError(this.core, error),
      held: (id) => this.core.ledger.get(id),
      afterBatch: () => this.book.flushOutbox(),
    });
    this.core = {
      options,
      layout: createLayout(options),
      backend: createDryRunBackend(),
      ledger: new Ledger(),
      pump,
      clock,
      log,
      emit,
      journal: undefined,
      isLoaded: false,
      connections: undefined,
      missing: new Set(),
      counts: { applied: 0, rejected: 0, failed: 0, expired: 0, revoked: 0, simulated: 0, healed: 0, rebuilds: 0 },
    };
    this.exempt = new ExemptBook(this.core);
    this.book = new DecisionBook(this.core, () => this.exempt);
    this.list = new ListSync(this.book);
    this.truth = new Truth(this.core, (why) => this.heal(why));
    this.hits = new HitReader(this.core, this.book);
    const where = deps.netns === undefined ? {} : { netns: deps.netns };
    const box = deps.box ?? createBox(where);
    this.watch = new ProtectWatch(
      { configured: options.guard.protected, refreshSecs: options.protect_refresh_secs },
      { box, log, nowMs: clock.monoMs, ...where, onNetworkChange: () => void this.onNetworkChange() },
      (entries) => {
        this.exempt.setComputed(entries);
        releaseProtected(this.core, this.book, this.exempt);
      },
    );
    this.names = new AllowNames({
      log,
      nowMs: clock.monoMs,
      ...(deps.resolve === undefined ? {} : { resolve: deps.resolve }),
      onResolved: (entries) => {
        this.exempt.setAllowed(entries);
        this.core.journal?.append([{ t: 'names', known: this.names.known() }]);
      },
    });
    this.canaries = new CanarySchedule(this.core, deps.netns, deps.wholeWayCanary);
    this.loader = new TableLoader(this.core, () => interfaceNames(box));
  }

  start(): Promise<void> {
    this.started ??= this.open();
    return this.started;
  }

  async stop(): Promise<void> {
    await this.started?.catch(() => undefined);
    for (const timer of this.timers) clearInterval(timer);
    this.timers = [];
    this.truth.stop();
    this.hits.stop();
    this.watch.stop();
    this.names.stop();
    this.canaries.stop();
    await this.core.pump.idle();
    this.core.pump.stop();
    await this.core.connections?.close();
    if (this.core.isLoaded && this.core.options.on_stop === 'flush') await this.core.backend.remove(this.core.layout);
    this.core.isLoaded = false;
    this.core.journal?.close();
    this.core.journal = undefined;
    await this.core.backend.close();
  }

  decide(decision: Decision): void {
    this.list.noteDecided(decision.id);
    this.book.decide(decision);
  }

  release(decisionId: string, reason: string): void {
    this.list.noteReleased(decisionId);
    this.book.release(decisionId, reason);
  }

  sync(
    decisions: readonly Decision[] | Promise<readonly Decision[]>,
    part: { syncId?: string; last?: boolean } = {},
  ): Promise<void> {
    this.takeBreakGlass();
    const { syncId, last = syncId === undefined } = part;
    return this.list.push({ decisions, id: syncId ?? uuid7(), last });
  }

  async setAllow(entries: readonly AllowEntry[]): Promise<void> {
    this.core.journal?.append([{ t: 'allow', entries: [...entries] }]);
    await this.names.set(entries);
  }

  setProtect(entries: readonly ProtectedEntry[]): void {
    this.core.journal?.append([{ t: 'protect', entries: [...entries] }]);
    this.exempt.setPushed(entries);
    releaseProtected(this.core, this.book, this.exempt);
  }

  async flush(reason: string): Promise<void> {
    const atMs = this.core.clock.wallMs();
    this.book.flushedAtMs = atMs;
    this.book.rate.reset();
    const lifted = this.book.clear();
    this.core.journal?.append([{ t: 'flush', atMs }]);
    await this.core.pump.run(() => this.loader.load(reason));
    this.book.reportRevoked(lifted, reason);
    this.core.log.warn({ lifted: lifted.length, reason }, 'all decisions lifted');
  }

  async ask(what: Question, value?: string): Promise<unknown> {
    switch (what) {
      case 'explain':
        return answerExplain(this.core, this.book, this.exempt, value ?? '');
      case 'ruleset':
        return describeRuleset(this.core, this.deps.netns === undefined ? {} : { netns: this.deps.netns });
      case 'canary':
        return this.canaries.run();
      case 'doctor':
        return runDoctor(this.core.options, {
          ...(this.deps.netns === undefined ? {} : { netns: this.deps.netns }),
          ...(value ? { sensorInterfaces: value.split(' ') } : {}),
        });
    }
  }

  state(): ResponderState {
    return describeState(this.core, {
      book: this.book,
      exempt: this.exempt,
      loader: this.loader,
      counters: this.counters,
      canary: this.canaries.stats(),
    });
  }

  idle(): Promise<void> {
    return this.core.pump.idle();
  }

  private async open(): Promise<void> {
    const { core, deps } = this;
    const where = deps.netns === undefined ? {} : { netns: deps.netns };
    const factory = deps.backends ?? createBackendFactory(where);
    const { backend, fallback } = await openBackend(factory, core.layout, core.options, core.log);
    core.backend = backend;
    const saved = readJournal(core.options.state_dir);
    core.journal = new Journal(core.options.state_dir, (error) => tellJournalError(core, error), saved);
    this.book.flushedAtMs = saved.flushedAtMs;
    this.exempt.setPushed(saved.protected);
    await this.watch.start();
    this.names.seed(saved.names);
    // What is static or was known before is exempt when this returns; the resolver is not waited for.
    void this.names.set(saved.allow);
    let restored = 0;
    for (const kept of saved.decisions.values()) if (this.book.restore(kept)) restored += 1;
    await core.pump.run(() => this.loader.load('start'));
    this.takeBreakGlass();
    core.log.info({ backend: backend.name, restored, badLines: saved.badLines }, 'responder started');
    tellStart(core, { fallback, badLines: saved.badLines });
    this.truth.start();
    if (core.options.conntrack === 'delete' && backend.name !== 'dry-run') {
      core.connections = new ConnectionCleaner({ log: core.log, ...where });
    }
    this.hits.start();
    this.canaries.start();
    this.every(STATE_EVERY_MS, () => void this.tick());
    this.every(EXPIRE_EVERY_MS, () => this.expire());
  }

  private every(ms: number, action: () => void): void {
    const timer = setInterval(action, ms);
    timer.unref();
    this.timers.push(timer);
  }

  private async tick(): Promise<void> {
    try {
      this.counters = await this.core.pump.run(() => this.core.backend.counters(this.core.layout));
    } catch (error) {
      this.core.log.debug({ error: errorMessage(error) }, 'table counters could not be read');
    }
    this.canaries.takeTimed();
    this.core.emit.state(this.state());
    const { journal } = this.core;
    if (journal?.needsCompaction(this.book.size)) await journal.compact(this.records());
  }

  private *records(): Generator<JournalRecord> {
    if (this.book.flushedAtMs > 0) yield { t: 'flush', atMs: this.book.flushedAtMs };
    yield { t: 'allow', entries: this.names.entries() };
    yield { t: 'names', known: this.names.known() };
    yield { t: 'protect', entries: [...this.exempt.pushedEntries] };
    yield* this.book.records();
  }

  private expire(): void {
    this.book.expire();
    this.exempt.expire();
    this.takeBreakGlass();
  }

  /** A flush by "portcullis decision flush" while we run: the kernel is empty already, so only forget and report. */
  private takeBreakGlass(): void {
    const atMs = this.core.journal?.takeBreakGlass() ?? 0;
    if (atMs === 0) return;
    void this.flush('lifted by hand with "portcullis decision flush"');
  }

  private async heal(why: string): Promise<void> {
    this.takeBreakGlass();
    this.loader.damaged();
    await this.core.pump.run(() => this.loader.load(why));
  }

  /** An interface to be screened at its ingress has appeared. */
  private async onNetworkChange(): Promise<void> {
    if (this.core.isLoaded && (await this.loader.isOutdated())) await this.heal('an interface appeared');
  }
}
