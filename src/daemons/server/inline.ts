import type { InlineControl } from '../../api/index.js';
import type { InlineReport, Peer } from '../../bus/index.js';
import type { LoadedConfig } from '../../config/index.js';
import {
  inlineModeSchema,
  type InlineCommand,
  type InlineDrop,
  type InlineMode,
  type InlineState,
} from '../../contract/inline.js';
import type { Detection } from '../../domain/detection.js';
import type { Severity } from '../../domain/severity.js';
import type { PolicyEngine } from '../../policy/index.js';
import type { AuditInput, Store } from '../../store/index.js';
import { AppError } from '../../util/errors.js';
import type { Logger } from '../../util/logger.js';
import { exemptAddresses } from '../inline/exempt.js';
import type { ChangeBook } from './changes.js';
import type { ExemptBook } from './exempt.js';
import type { Outlets } from './outlets.js';
import type { Settings } from './parts.js';
import type { ProblemList } from './problems.js';

const SETTING = 'inline_mode';
const KEPT_DROPS = 1000;
/** The daemon reports once a second; longer silence means that it does not run, whatever its socket says. */
const SILENT_MS = 3500;

export interface InlineBookDeps {
  settings: Pick<Settings, 'mode' | 'pausedUntilMs'>;
  engine: PolicyEngine;
  exempt: Pick<ExemptBook, 'exemptions'>;
  store: { settings: Pick<Store['settings'], 'get' | 'set'>; audit: { append(record: AuditInput): Promise<unknown> } };
  outlets: Outlets;
  problems: Pick<ProblemList, 'add'>;
  push(detection: Detection): void;
  /** Packets were stopped, or would have been: for the SIEM. */
  stopped(drops: readonly InlineDrop[]): void;
  log: Logger;
}

/** The server's side of inline verdicts: tells the daemon what to do, and everybody what it did. */
export interface InlineBook extends InlineControl {
  connected(peer: Peer): void;
  disconnected(peer: Peer): void;
  report(message: InlineReport): void;
  /** Tells the daemon what has changed; call it once a second. */
  tick(nowMs: number): void;
  /** For a change that was not confirmed. */
  restoreMode(mode: string | null, actor: string): Promise<void>;
  /** Commit-confirm opens later. */
  attach(changes: ChangeBook): void;
  metrics(): Record<string, number>;
}

export async function openInlineBook(config: LoadedConfig, deps: InlineBookDeps): Promise<InlineBook> {
  const { settings, engine, outlets, store, log } = deps;
  let mode = await storedMode(store, config.inline.mode);
  let peers = 0;
  let lastSeenMs = 0;
  let isSilent = false;
  let state: InlineState | null = null;
  let drops: InlineDrop[] = [];
  let changes: ChangeBook | undefined;
  let told = { mode: '', exempt: '', policies: undefined as unknown };

  function effectiveMode(): InlineMode {
    if (mode !== 'enforce') return mode;
    const isPaused = settings.pausedUntilMs() > Date.now();
    return settings.mode() === 'enforce' && !isPaused ? 'enforce' : 'observe';
  }

  /** The exempt first: nothing of theirs may be dropped for a moment. */
  function tell(isNew: boolean): void {
    if (peers === 0) return;
    if (isNew) told = { mode: '', exempt: '', policies: undefined };
    const send = (command: InlineCommand): void => void outlets.toInline(command);
    const { exemptions } = deps.exempt;
    const addresses = [
      ...exemptAddresses(exemptions.protected()),
      ...exemptions.allowedNow().map((entry) => entry.value),
    ].sort();
    const exempt = addresses.join(' ');
    if (told.exempt !== exempt || isNew) send({ type: 'exempt', addresses });
    const policies = engine.policies();
    if (told.policies !== policies) send({ type: 'policies', policies: [...policies] });
    const now = effectiveMode();
    if (told.mode !== now) send({ type: 'mode', mode: now });
    told = { mode: now, exempt, policies };
  }

  function transition(severity: Severity, code: string, message: string, details: Record<string, unknown>): void {
    const isGood = severity === 'info';
    if (!isGood) deps.problems.add({ atMs: Date.now(), component: 'inline', severity, code, message });
    outlets.health('inline', isGood ? 'ok' : severity === 'high' ? 'failed' : 'warning', message, severity);
    const entry = { actor: 'inline', address: '', outcome: 'success', action: code, object: 'queue' } as const;
    void store.audit.append({ ...entry, reason: message, after: details }).catch((error: unknown) => {
      log.error({ err: error }, 'A transition of inline verdicts was not audited.');
    });
    outlets.publishStatus();
  }

  function note(stopped: readonly InlineDrop[]): void {
    drops = [...[...stopped].reverse(), ...drops].slice(0, KEPT_DROPS);
    deps.stopped(stopped);
  }

  async function change(next: InlineMode, actor: string): Promise<void> {
    await store.settings.set(SETTING, { mode: next, configured: config.inline.mode }, actor);
    mode = next;
    tell(false);
    outlets.publishStatus();
  }

  return {
    connected(peer) {
      peers++;
      lastSeenMs = Date.now();
      isSilent = false;
      log.info({ peer: peer.name }, 'The inline daemon connected.');
      tell(true);
      outlets.publishStatus();
    },
    disconnected() {
      peers = Math.max(0, peers - 1);
      if (peers > 0) return;
      state = null;
      const what = config.inline.fail === 'open' ? 'traffic passes unjudged' : 'chosen traffic is dropped';
      transition('high', 'inline.disconnected', `The inline daemon is gone: ${what}.`, {});
    },
    report(message) {
      lastSeenMs = Date.now();
      if (isSilent) {
        isSilent = false;
        transition('info', 'inline.back', 'The inline daemon shows life again.', {});
      }
      if (message.type === 'state') state = message.state;
      else if (message.type === 'drops') note(message.drops);
      else if (message.type === 'detection') deps.push(message.detection);
      else transition(message.severity, message.code, message.message, message.details);
    },
    tick(nowMs) {
      tell(false);
      if (peers === 0 || isSilent || nowMs - lastSeenMs < SILENT_MS) return;
      isSilent = true;
      const what = config.inline.fail === 'open' ? 'traffic passes unjudged' : 'chosen traffic waits or is dropped';
      transition('high', 'inline.silent', `The inline daemon shows no life: ${what}.`, {});
    },
    status() {
      const pending = changes?.of('inline', 'inline');
      return {
        enabled: config.inline.enabled,
        connected: peers > 0 && !isSilent,
        mode,
        effectiveMode: effectiveMode(),
        fail: config.inline.fail,
        lastSeenMs,
        state,
        ...(pending ? { pending } : {}),
      };
    },
    async setMode(next, actor, confirmSecs) {
      if (peers === 0) throw notConnected();
      const before = mode;
      const make = (): Promise<void> => change(next, actor.name);
      if (confirmSecs === undefined || !changes) {
        await make();
        await changes?.supersede('inline', 'inline');
        return undefined;
      }
      const summary = `Inline verdicts: ${before} became ${next}.`;
      return changes.arm({ kind: 'inline', object: 'inline', summary, actor: actor.name, before }, confirmSecs, make);
    },
    restoreMode: (before, actor) => change(inlineModeSchema.catch('observe').parse(before), actor),
    attach: (book) => (changes = book),
    drops: () => drops,
    metrics() {
      if (state === null) return { inline_connected: 0 };
      const { latency, counts, stages } = state;
      return {
        inline_connected: isSilent ? 0 : 1,
        inline_enforcing: state.mode === 'enforce' ? 1 : 0,
        inline_overloaded: state.state === 'overloaded' ? 1 : 0,
        inline_queue_depth: state.queueDepth,
        inline_held: state.held,
        inline_bypassed_share: state.bypassedShare,
        inline_latency_p50_us: latency.p50Us,
        inline_latency_p95_us: latency.p95Us,
        inline_latency_p99_us: latency.p99Us,
        ...Object.fromEntries(
          Object.entries(stages ?? {}).flatMap(([stage, { p50Us, p99Us }]) => [
            [`inline_stage_${stage}_p50_us`, p50Us],
            [`inline_stage_${stage}_p99_us`, p99Us],
          ]),
        ),
        ...Object.fromEntries(Object.entries(counts).map(([name, value]) => [`inline_${name}`, value])),
      };
    },
  };
}

/** As the operator last chose it, until the configuration says something else. */
async function storedMode(store: InlineBookDeps['store'], configured: 'observe' | 'enforce'): Promise<InlineMode> {
  const stored = (await store.settings.get(SETTING)) as { mode?: unknown; configured?: unknown } | undefined;
  const known = inlineModeSchema.safeParse(stored?.mode);
  return known.success && stored?.configured === configured ? known.data : configured;
}

function notConnected(): AppError {
  return new AppError({
    kind: 'user',
    code: 'inline.not_connected',
    message: 'The inline daemon is not connected.',
    fix: 'Set inline.enabled: true and start it: portcullis run, or systemctl enable --now portcullis-inline.',
  });
}
