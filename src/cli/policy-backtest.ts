import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { loadConfig } from '../config/index.js';
import type { Alert } from '../domain/alert.js';
import {
  backtest,
  loadPolicyFolder,
  parsePolicy,
  policyError,
  type BacktestResult,
  type InnocentReason,
  type Policy,
} from '../policy/index.js';
import { openStore, type Store } from '../store/index.js';
import { formatDuration, parseDuration } from '../util/duration.js';
import { AppError } from '../util/errors.js';
import { cidrContains, parseCidr, parseIp } from '../util/ip.js';

const MAX_ALERTS = 500_000;
const PAGE = 200;
const SHOWN = 20;

interface BacktestOptions {
  since: string;
  policy?: string[];
  config?: string;
  json?: boolean;
}

/** `portcullis policy backtest`: the stored alerts of the last days, judged again by the policies in force and by others. */
export function registerBacktest(policy: Command): void {
  policy
    .command('backtest')
    .description('what policies would have blocked in the past, and which of those were innocent')
    .option('--since <time>', 'how far back', '7d')
    .option('--policy <file...>', 'policy files that replace those of the same name, or come in addition')
    .option('--config <file>', 'configuration file')
    .option('--json', 'print JSON')
    .action(runBacktest);
}

async function runBacktest(options: BacktestOptions): Promise<void> {
  const sinceSecs = parseDuration(options.since);
  if (sinceSecs === undefined) {
    throw new AppError({
      kind: 'user',
      code: 'policy.bad_duration',
      message: `--since: "${options.since}" is not a duration such as 7d.`,
    });
  }
  const config = await loadConfig(options.config);
  const folder = await loadPolicyFolder(config.policy.dir);
  if (folder.problems.length > 0) throw policyError(folder.problems);
  const candidate = await replaced(folder.policies, options.policy ?? []);
  const store = await openStore(config.store);
  try {
    const alerts = await storedAlerts(store, Date.now() - sinceSecs * 1000);
    const innocent = await innocence(store, alerts);
    const judge = (policies: readonly Policy[]): BacktestResult =>
      backtest({
        alerts,
        policies,
        options: config.policy,
        deps: { findProtected: () => undefined, findAllowed: () => undefined, blastRadius: () => undefined },
        innocent,
      });
    const active = judge(folder.policies);
    const tried = options.policy === undefined ? active : judge(candidate);
    if (options.json) process.stdout.write(`${JSON.stringify({ active, candidate: tried }, null, 2)}\n`);
    else print(options, active, tried);
  } finally {
    await store.close();
  }
}

async function replaced(policies: readonly Policy[], files: readonly string[]): Promise<Policy[]> {
  const byName = new Map(policies.map((p) => [p.name, p]));
  for (const file of files) {
    const parsed = parsePolicy(await readFile(file, 'utf8'), file);
    if (!parsed.ok) throw policyError(parsed.problems);
    byName.set(parsed.policy.name, parsed.policy);
  }
  return [...byName.values()];
}

/** Alerts since then, oldest first. */
async function storedAlerts(store: Store, sinceMs: number): Promise<(Alert & { labelVerdict?: string })[]> {
  const found: (Alert & { labelVerdict?: string })[] = [];
  let cursor: string | null | undefined;
  while (cursor !== null && found.length < MAX_ALERTS) {
    const page: Awaited<ReturnType<Store['alerts']['list']>> = await store.alerts.list({ limit: PAGE, cursor });
    for (const alert of page.items) if (alert.lastMs >= sinceMs) found.push(alert);
    cursor = (page.items.at(-1)?.lastMs ?? 0) < sinceMs ? null : page.nextCursor;
  }
  return found.reverse();
}

/** An offender is innocent when an analyst said so, or when the allowlist names it. */
async function innocence(
  store: Store,
  alerts: readonly (Alert & { labelVerdict?: string })[],
): Promise<(offender: string) => InnocentReason | undefined> {
  const benign = new Set(alerts.filter((a) => a.labelVerdict === 'false_positive').map((a) => a.offender));
  const guilty = new Set(alerts.filter((a) => a.labelVerdict === 'true_positive').map((a) => a.offender));
  const allowed = (await store.allowlist.active(Date.now()))
    .map((e) => parseCidr(e.value))
    .filter((c) => c !== undefined);
  return (offender) => {
    const ip = parseIp(offender);
    if (ip && allowed.some((net) => cidrContains(net, ip))) return 'allowlist';
    return benign.has(offender) && !guilty.has(offender) ? 'label' : undefined;
  };
}

function print(options: BacktestOptions, active: BacktestResult, tried: BacktestResult): void {
  const line = (name: string, r: BacktestResult): string =>
    `${name}: ${r.blocks.length} decisions on ${r.offenders} offenders; ${r.innocentOffenders} of them innocent, blocked for ${formatDuration(r.innocentSecs)} in all\n`;
  process.stdout.write(`${tried.alerts} alerts since ${options.since} ago\n${line('in force ', active)}`);
  if (options.policy !== undefined) process.stdout.write(line('candidate', tried));
  for (const { decision, alertTitle, innocent } of tried.blocks.slice(0, SHOWN)) {
    const when = new Date(decision.createdMs).toISOString().slice(0, 19);
    const what = `${decision.action} ${decision.value}${decision.port === undefined ? '' : `:${decision.port}`}`;
    process.stdout.write(
      `  ${when}  ${what}  ${formatDuration(decision.durationSecs)}  ${decision.policy ?? ''}: ${alertTitle}${innocent ? `  INNOCENT (${innocent})` : ''}\n`,
    );
  }
  if (tried.blocks.length > SHOWN) process.stdout.write(`  ... and ${tried.blocks.length - SHOWN} more\n`);
}
