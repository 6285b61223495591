import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { loadConfig } from '../config/index.js';
import type { IntelMatch, IntelSummary } from '../contract/http.js';
import { refreshIntel, type FeedState } from '../detect/intel/index.js';
import { AppError, EXIT } from '../util/errors.js';
import { callApi } from './api-client.js';
import { plain, toJson } from './print.js';

interface Options {
  config?: string;
  json?: boolean;
}

/** `portcullis intel feeds|refresh|lookup|check`. */
export function register(program: Command): void {
  const intel = program.command('intel').description('threat intelligence: feeds, and what they list');
  const command = (usage: string, about: string): Command =>
    intel
      .command(usage)
      .description(about)
      .option('--config <file>', 'configuration file')
      .option('--json', 'print JSON');
  command('feeds', 'state of every feed').action(async (options: Options) => {
    print((await callApi(options.config, 'GET', '/intel/feeds')) as IntelSummary, options);
  });
  command('refresh', 'fetch feeds now')
    .argument('[feed...]', 'names; all that are enabled unless given')
    .action(async (feeds: string[], options: Options) => {
      const body = feeds.length > 0 ? { feeds } : {};
      const summary = (await callApi(options.config, 'POST', '/intel/refresh', body)) as IntelSummary;
      print(summary, options);
      if (summary.items.some((f) => f.state === 'failed')) process.exitCode = EXIT.INPUT;
    });
  command('lookup', 'what feeds say of an address, name, URL or fingerprint').argument('<value>').action(lookup);
  command('check', 'fetch feeds without using them, and say what is in them; needs no running server')
    .argument('[feed...]', 'names; all that are configured unless given')
    .action(check);
}

async function lookup(value: string, options: Options): Promise<void> {
  const path = `/intel/lookup?value=${encodeURIComponent(value)}`;
  const { matches } = (await callApi(options.config, 'GET', path)) as { matches: IntelMatch[] };
  if (options.json) {
    write(JSON.stringify(matches, null, 2));
    return;
  }
  if (matches.length === 0) write(`${value}: no feed lists it.`);
  for (const m of matches) {
    const until = m.validUntilMs === 0 ? '' : `, until ${new Date(m.validUntilMs).toISOString()}`;
    write(`${m.value}: ${m.label}, listed by ${m.feeds.join(', ')} as ${m.type}, confidence ${m.confidence}${until}`);
  }
}

/** @throws AppError intel.no_such_feed */
async function check(names: string[], options: Options): Promise<void> {
  const config = await loadConfig(options.config);
  const { feeds, maxIndicators, realertSecs } = config.detect.intel;
  const unknown = names.find((name) => !feeds.some((f) => f.name === name));
  if (unknown !== undefined) {
    const message = `There is no feed "${unknown}".`;
    throw new AppError({ kind: 'user', code: 'intel.no_such_feed', message, fix: 'Name one of detect.intel.feeds.' });
  }
  const chosen = feeds
    .filter((f) => names.length === 0 || names.includes(f.name))
    .map((f) => ({ ...f, enabled: true }));
  if (chosen.length === 0) {
    write('No feed is configured; name one under detect.intel.feeds.');
    return;
  }
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-intel-'));
  try {
    const result = await refreshIntel(
      {
        folder,
        options: { feeds: chosen, maxIndicators, realertSecs },
        due: chosen.map((f) => f.name),
        allow: [],
        nowMs: Date.now(),
      },
      new AbortController().signal,
    );
    if (options.json) write(JSON.stringify(result.feeds, null, 2));
    else {
      result.feeds.forEach(printFeed);
      write(`${result.indicators} distinct indicators, ${Math.ceil(result.tableBytes / 1048576)} MiB`);
    }
    if (result.feeds.some((f) => f.state === 'failed')) process.exitCode = EXIT.INPUT;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function print(summary: IntelSummary, options: Options): void {
  if (options.json) {
    process.stdout.write(`${toJson(summary)}\n`);
    return;
  }
  if (summary.items.length === 0) write('No feed is configured; name one under detect.intel.feeds.');
  summary.items.forEach(printFeed);
  write(`${summary.indicators} distinct indicators in use${summary.shed > 0 ? `, ${summary.shed} left out` : ''}`);
}

function printFeed(feed: Pick<FeedState, 'name' | 'state' | 'error' | 'indicators' | 'rejected' | 'rejectedExamples'>) {
  const counts = Object.entries(feed.indicators).filter(([, n]) => n > 0);
  const found = counts.map(([type, n]) => `${n} ${type}`).join(', ') || 'nothing';
  write(`${feed.name}: ${feed.state}; ${found}${feed.rejected > 0 ? `; ${feed.rejected} not used` : ''}`);
  if (feed.error !== null) write(`  ${feed.error}`);
  for (const example of feed.rejectedExamples) write(`  not used: ${example}`);
}

function write(line: string): void {
  process.stdout.write(`${plain(line)}\n`);
}
