import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { IntelControl } from '../../api/index.js';
import type { IntelMatch, IntelSummary } from '../../contract/http.js';
import {
  IndicatorTable,
  newState,
  normalizeAny,
  publicUrl,
  readStates,
  refreshInThread,
  TABLE_FILE,
  type FeedOptions,
  type FeedState,
  type IntelOptions,
  type NormalValue,
  type RefreshInput,
  type RefreshResult,
} from '../../detect/intel/index.js';
import { AppError, errorMessage } from '../../util/errors.js';
import { parseCidr } from '../../util/ip.js';
import type { Logger } from '../../util/logger.js';
import type { FeedBlocks } from './feed-blocks.js';

export interface IntelBookDeps {
  options: IntelOptions & { folder: string };
  blocks: FeedBlocks;
  /** Networks on the allowlist. */
  allowed(): readonly string[];
  /** Tells every sensor to load the table again. */
  reload(): void;
  /** For the SIEM: a feed failed that worked before, works again, or changed its blocks. */
  told(feed: string, state: 'ok' | 'warning', text: string): void;
  log: Logger;
  now(): number;
  /** Fetches and builds; another thread does it unless given. */
  refresh?: (input: RefreshInput, signal: AbortSignal) => Promise<RefreshResult>;
}

/** Feeds of threat intelligence: when they are fetched, what came of it, and what they know. */
export interface IntelBook extends IntelControl {
  /** Refreshes what is due; call it once a minute or more often. */
  tick(): void;
  metrics(): Record<string, number>;
  close(): void;
}

const MINUTE_MS = 60_000;
/** A feed that failed is tried again after this, if its own interval is longer. */
const RETRY_MS = 10 * MINUTE_MS;
/** The table is loaded to answer a question, and kept for the next ones for this long. */
const KEEP_TABLE_MS = MINUTE_MS;

export function createIntelBook(deps: IntelBookDeps): IntelBook {
  const { options, log } = deps;
  const stop = new AbortController();
  const run = deps.refresh ?? refreshInThread;
  let states = new Map(readStates(options.folder).map((s) => [s.name, s]));
  let totals = { indicators: 0, shed: 0, allowed: 0, tableBytes: 0, builtMs: null as number | null };
  let running: Promise<unknown> | undefined;
  let table: Promise<IndicatorTable | undefined> | undefined;
  let forget: NodeJS.Timeout | undefined;

  const stateOf = (feed: FeedOptions): FeedState => states.get(feed.name) ?? newState(feed.name);

  function nextMs(feed: FeedOptions): number | null {
    if (!feed.enabled) return null;
    const { lastTryMs, state } = stateOf(feed);
    const everyMs = feed.refreshMinutes * MINUTE_MS;
    return lastTryMs === null ? deps.now() : lastTryMs + (state === 'failed' ? Math.min(RETRY_MS, everyMs) : everyMs);
  }

  async function refresh(due: readonly string[]): Promise<void> {
    const before = states;
    const result = await run(
      { folder: options.folder, options, due, allow: deps.allowed(), nowMs: deps.now() },
      stop.signal,
    );
    states = new Map(result.feeds.map((s) => [s.name, s]));
    const { indicators, shed, allowed, tableBytes, builtMs } = result;
    totals = { indicators, shed, allowed, tableBytes, builtMs };
    table = undefined;
    log.info({ feeds: due.length, indicators, shed, allowed }, 'Threat intelligence was refreshed.');
    for (const feed of result.feeds) {
      const failedBefore = before.get(feed.name)?.state === 'failed';
      if (feed.state === 'failed' && !failedBefore) deps.told(feed.name, 'warning', feed.error ?? 'It failed.');
      if (feed.state !== 'failed' && failedBefore) deps.told(feed.name, 'ok', 'It was fetched again.');
    }
    deps.reload();
    for (const feed of options.feeds) {
      // What could not be fetched keeps its blocks; a feed that no longer blocks gives them back.
      if (due.includes(feed.name) && stateOf(feed).state === 'failed') continue;
      const wanted = feed.enabled && feed.block ? (result.block[feed.name] ?? []) : [];
      if (wanted.length === 0 && deps.blocks.count(feed.name) === 0) continue;
      const change = await deps.blocks.apply(feed.name, wanted, feed.refreshMinutes * MINUTE_MS, stop.signal);
      const { added, released, exempt } = change;
      log.info({ feed: feed.name, ...change }, 'Blocks of a feed are up to date.');
      if (added + released > 0)
        deps.told(feed.name, 'ok', `${added} addresses added, ${released} released, ${exempt} exempt here.`);
    }
  }

  /** One refresh at a time. */
  function start(due: readonly string[]): Promise<void> {
    const work = refresh(due).finally(() => {
      running = undefined;
    });
    running = work;
    return work;
  }

  function readTable(): Promise<IndicatorTable | undefined> {
    clearTimeout(forget);
    forget = setTimeout(() => {
      table = undefined;
    }, KEEP_TABLE_MS);
    forget.unref();
    table ??= readFile(join(options.folder, TABLE_FILE)).then(
      (file) => IndicatorTable.parse(file),
      () => undefined,
    );
    return table;
  }

  function summary(): IntelSummary {
    const items = options.feeds.map((feed) => {
      const { state, lastTryMs, lastOkMs, error, indicators, rejected, rejectedExamples } = stateOf(feed);
      const none = { ip: 0, cidr: 0, domain: 0, url: 0, ja3: 0, ja4: 0, sha256: 0 };
      return {
        name: feed.name,
        kind: feed.kind,
        url: publicUrl(feed.url),
        enabled: feed.enabled,
        block: feed.block,
        refreshMinutes: feed.refreshMinutes,
        state,
        lastTryMs,
        lastOkMs,
        nextMs: nextMs(feed),
        error,
        indicators: { ...none, ...indicators },
        rejected,
        rejectedExamples,
        blocked: deps.blocks.count(feed.name),
      };
    });
    const { indicators, shed, tableBytes, builtMs } = totals;
    return { items, nextCursor: null, indicators, shed, tableBytes, builtMs };
  }

  return {
    summary,
    async refresh(names) {
      const unknown = names?.find((name) => !options.feeds.some((f) => f.name === name));
      if (unknown !== undefined) {
        const message = `There is no feed "${unknown}".`;
        const fix = 'Name one of detect.intel.feeds.';
        throw new AppError({ kind: 'user', code: 'intel.no_such_feed', message, fix });
      }
      if (running) {
        const message = 'Feeds are being fetched at the moment.';
        throw new AppError({ kind: 'user', code: 'intel.busy', message, fix: 'Wait until it is over.' });
      }
      await start(options.feeds.filter((f) => f.enabled && (names?.includes(f.name) ?? true)).map((f) => f.name));
      return summary();
    },
    async lookup(text) {
      const value = normalizeAny(text, true);
      if ('rejected' in value) {
        throw new AppError({
          kind: 'user',
          code: 'intel.not_an_indicator',
          message: `"${text.slice(0, 100)}" ${value.rejected}.`,
          fix: 'Ask for an address, a prefix, a name, a URL, or a JA3, JA4 or SHA-256 fingerprint.',
        });
      }
      const held = await readTable();
      return held ? lookUp(held, value, deps.now()) : [];
    },
    tick() {
      if (running || stop.signal.aborted) return;
      const due = options.feeds.filter((f) => (nextMs(f) ?? Infinity) <= deps.now()).map((f) => f.name);
      if (due.length === 0) return;
      start(due).catch((error: unknown) => {
        if (!stop.signal.aborted) log.error({ reason: errorMessage(error) }, 'Feeds were not fetched.');
      });
    },
    metrics: () => ({
      intel_feeds: options.feeds.filter((f) => f.enabled).length,
      intel_feeds_failed: options.feeds.filter((f) => f.enabled && stateOf(f).state === 'failed').length,
      intel_indicators: totals.indicators,
      intel_indicators_shed: totals.shed,
    }),
    close() {
      stop.abort();
      clearTimeout(forget);
    },
  };
}

function lookUp(table: IndicatorTable, { type, value }: NormalValue, nowMs: number): IntelMatch[] {
  const found: [IntelMatch['type'], number][] = [];
  if (type === 'ip' || type === 'cidr') {
    const network = parseCidr(value);
    if (network) found.push([type, table.findAddress(network.version, ...network.words)]);
  } else if (type === 'domain') found.push([type, table.findDomain(value)]);
  else found.push([type, table.findText(type, value)]);
  if (type === 'url') found.push(['domain', table.findDomain(value.replace(/[/:].*$/, ''))]);
  return found.flatMap(([kind, index]) => {
    const entry = index < 0 ? undefined : table.entry(index, nowMs / 1000);
    if (!entry) return [];
    const { feeds, confidence, label, validUntilSecs } = entry;
    return [{ type: kind, value, feeds, confidence, label, validUntilMs: validUntilSecs * 1000 }];
  });
}
