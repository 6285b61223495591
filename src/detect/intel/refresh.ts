import { createReadStream, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Indicator, IndicatorType } from '../../domain/indicator.js';
import { cidrContains, parseCidr, type Cidr } from '../../util/ip.js';
import { createFeedHttp, type Validators } from './feeds/http.js';
import { readMisp } from './feeds/misp.js';
import { FeedError, type FeedContext, type FoundIndicator } from './feeds/reader.js';
import { readStixBundle } from './feeds/stix.js';
import { readTaxii } from './feeds/taxii.js';
import { readCsv, readList } from './feeds/text.js';
import { normalizeAny } from './normalize.js';
import type { FeedOptions, IntelOptions } from './options.js';
import { TableBuilder } from './table-builder.js';

/** What is remembered of a feed between refreshes. */
export interface FeedState {
  name: string;
  state: 'never' | 'ok' | 'unchanged' | 'failed';
  lastTryMs: number | null;
  lastOkMs: number | null;
  error: string | null;
  indicators: Partial<Record<IndicatorType, number>>;
  rejected: number;
  rejectedExamples: string[];
  validators: Validators;
}

export interface RefreshInput {
  folder: string;
  options: IntelOptions;
  /** Names of the feeds to fetch; the others are used as they were fetched last. */
  due: readonly string[];
  /** Allowed networks: what lies in them is not listed, whatever a feed says. */
  allow: readonly string[];
  nowMs: number;
}

export interface RefreshResult {
  feeds: FeedState[];
  indicators: number;
  shed: number;
  /** Left out because the allowlist names them. */
  allowed: number;
  tableBytes: number;
  builtMs: number;
  /** By feed: addresses and prefixes that it wants blocked, with how long they are valid (0: no limit). */
  block: Record<string, { value: string; validUntilMs: number; label: string }[]>;
}

const MAX_EXAMPLES = 5;
export const TABLE_FILE = 'table.bin';
const STATE_FILE = 'state.json';

/** Fetches what is due, then builds the table of all feeds and puts it in place at once. */
export async function refreshIntel(input: RefreshInput, signal: AbortSignal): Promise<RefreshResult> {
  const { folder, options, nowMs } = input;
  mkdirSync(join(folder, 'feeds'), { recursive: true, mode: 0o750 });
  const states = new Map(readStates(folder).map((state) => [state.name, state]));
  const feeds: FeedState[] = [];
  for (const feed of options.feeds) {
    const known = states.get(feed.name) ?? newState(feed.name);
    const isDue = feed.enabled && input.due.includes(feed.name);
    feeds.push(isDue ? await fetchFeed(feed, known, folder, nowMs, signal) : known);
  }
  const built = await build(input);
  writeAtomic(join(folder, STATE_FILE), JSON.stringify(feeds));
  return { feeds, ...built };
}

export function readStates(folder: string): FeedState[] {
  try {
    return JSON.parse(readFileSync(join(folder, STATE_FILE), 'utf8')) as FeedState[];
  } catch {
    // Never fetched, or damaged: everything is fetched again.
    return [];
  }
}

export function newState(name: string): FeedState {
  return {
    name,
    state: 'never',
    lastTryMs: null,
    lastOkMs: null,
    error: null,
    indicators: {},
    rejected: 0,
    rejectedExamples: [],
    validators: {},
  };
}

async function fetchFeed(
  feed: FeedOptions,
  known: FeedState,
  folder: string,
  nowMs: number,
  signal: AbortSignal,
): Promise<FeedState> {
  const file = cacheFile(folder, feed.name);
  // A change of the options must not be answered with "nothing new"; nor can a first request of TAXII tell that.
  const validators = feed.kind === 'taxii' || !existsSync(file) ? {} : known.validators;
  const http = createFeedHttp(feed, validators, signal);
  try {
    const found = await read({ feed, get: http.get });
    if (!found) return { ...known, state: 'unchanged', lastTryMs: nowMs, lastOkMs: nowMs, error: null };
    const result = await keep(found, feed, file, nowMs);
    return {
      ...newState(feed.name),
      ...result,
      state: 'ok',
      lastTryMs: nowMs,
      lastOkMs: nowMs,
      validators: http.validators(),
    };
  } catch (error) {
    const message = error instanceof FeedError ? error.message : `the feed cannot be used: ${(error as Error).message}`;
    return { ...known, state: 'failed', lastTryMs: nowMs, error: message };
  }
}

async function read(context: FeedContext): Promise<Iterable<FoundIndicator> | undefined> {
  const { feed, get } = context;
  if (feed.kind === 'taxii') return readTaxii(context);
  if (feed.kind === 'misp') return readMisp(context);
  const answer = await get(feed.url);
  if (!answer) return undefined;
  if (feed.kind === 'stix') return readStixBundle(answer.text);
  return feed.kind === 'csv' ? readCsv(answer.text, context) : readList(answer.text);
}

/** Checks what was found and writes it beside the feed's earlier file, which it replaces at the end. */
async function keep(
  found: Iterable<FoundIndicator>,
  feed: FeedOptions,
  file: string,
  nowMs: number,
): Promise<Pick<FeedState, 'indicators' | 'rejected' | 'rejectedExamples'>> {
  const indicators: Partial<Record<IndicatorType, number>> = {};
  const rejectedExamples: string[] = [];
  let rejected = 0;
  let used = 0;
  const handle = await open(`${file}.new`, 'w', 0o640);
  try {
    let lines: string[] = [];
    for (const item of found) {
      const value =
        item.problem === undefined ? normalizeAny(item.text, feed.privateAddresses) : { rejected: item.problem };
      if ('rejected' in value) {
        rejected++;
        if (rejectedExamples.length < MAX_EXAMPLES)
          rejectedExamples.push(`${item.where}: ${item.text.slice(0, 80)} ${value.rejected}`.replace(/: +/, ': '));
        continue;
      }
      const indicator = toIndicator(value, item, feed);
      if (indicator.validUntilMs !== 0 && indicator.validUntilMs <= nowMs) continue;
      used++;
      indicators[value.type] = (indicators[value.type] ?? 0) + 1;
      lines.push(JSON.stringify(indicator));
      if (lines.length >= 5000) {
        await handle.write(`${lines.join('\n')}\n`);
        lines = [];
      }
    }
    if (lines.length > 0) await handle.write(`${lines.join('\n')}\n`);
  } finally {
    await handle.close();
  }
  // An error page that answers 200 must not empty a good feed.
  if (used === 0 && rejected > 0)
    throw new FeedError(`nothing in it is an indicator (${rejectedExamples[0] ?? ''}); what was fetched before stays`);
  renameSync(`${file}.new`, file);
  return { indicators, rejected, rejectedExamples };
}

function toIndicator(
  value: { type: IndicatorType; value: string },
  item: FoundIndicator,
  feed: FeedOptions,
): Indicator {
  const validFromMs = item.validFromMs ?? 0;
  const limitMs = feed.validDays > 0 && validFromMs > 0 ? validFromMs + feed.validDays * 86_400_000 : 0;
  const stated = item.validUntilMs ?? 0;
  return {
    ...value,
    source: feed.name,
    confidence: Math.min(1, Math.max(0, item.confidence ?? feed.confidence)),
    label: item.label ?? feed.label,
    validFromMs,
    validUntilMs: stated === 0 ? limitMs : limitMs === 0 ? stated : Math.min(stated, limitMs),
  };
}

async function build({ folder, options, allow, nowMs }: RefreshInput): Promise<Omit<RefreshResult, 'feeds'>> {
  const networks = allow.map(parseCidr).filter((c): c is Cidr => c !== undefined);
  const feeds = options.feeds.filter((f) => f.enabled && existsSync(cacheFile(folder, f.name)));
  let total = 0;
  for (const feed of feeds) for await (const _ of readCache(folder, feed.name)) total++;
  const builder = new TableBuilder(Math.max(1, Math.min(options.maxIndicators, total)));
  const block: RefreshResult['block'] = {};
  let allowed = 0;
  for (const feed of feeds) {
    const wanted: RefreshResult['block'][string] = [];
    for await (const indicator of readCache(folder, feed.name)) {
      const { type, value, confidence, validUntilMs, label } = indicator;
      if (validUntilMs !== 0 && validUntilMs <= nowMs) continue;
      if (type === 'ip' || type === 'cidr') {
        const network = parseCidr(value);
        if (!network || networks.some((n) => cidrContains(n, network))) {
          allowed++;
          continue;
        }
        if (feed.block && confidence >= feed.blockMinConfidence) wanted.push({ value, validUntilMs, label });
      }
      builder.add(indicator);
    }
    if (feed.block) block[feed.name] = wanted;
  }
  const table = builder.build(nowMs);
  writeAtomic(join(folder, TABLE_FILE), table.serialize());
  return {
    indicators: builder.count,
    shed: builder.shed,
    allowed,
    tableBytes: table.bytes,
    builtMs: nowMs,
    block,
  };
}

function cacheFile(folder: string, feed: string): string {
  return join(folder, 'feeds', `${feed}.ndjson`);
}

async function* readCache(folder: string, feed: string): AsyncGenerator<Indicator> {
  const lines = createInterface({ input: createReadStream(cacheFile(folder, feed)), crlfDelay: Infinity });
  for await (const line of lines) if (line !== '') yield JSON.parse(line) as Indicator;
}

function writeAtomic(path: string, data: string | Buffer): void {
  writeFileSync(`${path}.new`, data, { mode: 0o640 });
  renameSync(`${path}.new`, path);
}
