import type { Command } from 'commander';
import { loadConfig, type LoadedConfig } from '../config/index.js';
import type { BacktestReport, BacktestSide } from '../contract/http.js';
import { readCaptures } from '../daemons/backtest/captures.js';
import { toBacktestReport } from '../daemons/backtest/report.js';
import { backtestStored } from '../daemons/backtest/run-stored.js';
import { createBox, ProtectedCollector } from '../enforce/index.js';
import { createBacktest, loadPolicyFolder, parsePolicy, policyError, type Policy } from '../policy/index.js';
import { openStore } from '../store/index.js';
import { formatDuration, parseDuration } from '../util/duration.js';
import { AppError } from '../util/errors.js';
import { plain, plainLines, toJson } from './print.js';
import { showProgress } from './progress.js';
import { readInput } from './read-input.js';

const SHOWN = 40;

interface BacktestOptions {
  since: string;
  policy?: string[];
  model?: string;
  capture?: string[];
  config?: string;
  json?: boolean;
}

type Report = BacktestReport & { rescored?: number; otherSchema?: number };

/** `portcullis policy backtest`: recorded traffic judged again by the policies in force, by others, with another model. */
export function registerBacktest(policy: Command): void {
  policy
    .command('backtest')
    .description('what policies would have blocked in the past, and which of those were innocent')
    .option('--since <time>', 'how far back in the stored alerts and flows', '7d')
    .option('--policy <file...>', 'policy files that replace those of the same name, or come in addition')
    .option('--model <dir>', 'model bundle that the candidate uses instead of those in force')
    .option('--capture <file...>', 'pcap files instead of what is stored')
    .option('--config <file>', 'configuration file')
    .option('--json', 'print JSON')
    .action(runBacktest);
}

async function runBacktest(options: BacktestOptions): Promise<void> {
  const config = await loadConfig(options.config);
  const folder = await loadPolicyFolder(config.policy.dir);
  if (folder.problems.length > 0) throw policyError(folder.problems);
  const active = folder.policies;
  const isCompared = options.policy !== undefined || options.model !== undefined;
  const sides = { active, ...(isCompared ? { candidate: await replaced(active, options.policy ?? []) } : {}) };
  const report = await (options.capture === undefined
    ? onStored(config, options, sides)
    : onCaptures(config, options, options.capture, sides));
  process.stdout.write(`${options.json ? toJson(report) : plainLines(reportText(report))}\n`);
}

interface Sides {
  active: readonly Policy[];
  candidate?: readonly Policy[];
}

async function onStored(config: LoadedConfig, options: BacktestOptions, sides: Sides): Promise<Report> {
  const sinceSecs = parseDuration(options.since);
  if (sinceSecs === undefined) {
    throw new AppError({
      kind: 'user',
      code: 'policy.bad_duration',
      message: `--since: "${options.since}" is not a duration such as 7d.`,
    });
  }
  const untilMs = Date.now();
  const progress = showProgress('% read and judged');
  const store = await openStore(config.store);
  try {
    const kept = await new ProtectedCollector(createBox()).collect(config.enforce.guard.protected, performance.now());
    const what = {
      ...sides,
      options: config.policy,
      protected: kept,
      sinceMs: untilMs - sinceSecs * 1000,
      untilMs,
      ...(options.model === undefined ? {} : { model: options.model }),
    };
    return await backtestStored(store, what, (share) => progress.set(Math.round(share * 100)));
  } finally {
    progress.end();
    await store.close();
  }
}

/** Captures are judged by the live detectors; with another model they are read once for each side. */
async function onCaptures(
  config: LoadedConfig,
  options: BacktestOptions,
  files: readonly string[],
  sides: Sides,
): Promise<Report> {
  const test = createBacktest({ ...sides, options: config.policy, allowed: [], protected: [], label: () => undefined });
  const progress = showProgress('packets');
  const { model } = options;
  let packets = 0;
  let [sinceMs, untilMs] = [Infinity, 0];
  const sink = (alert: Parameters<typeof readCaptures>[3]['alert'], isFirst: boolean) => ({
    flow(flow: Parameters<typeof test.flow>[0]): void {
      sinceMs = Math.min(sinceMs, flow.startUs / 1000);
      untilMs = Math.max(untilMs, flow.endUs / 1000);
      if (isFirst) test.flow(flow);
    },
    alert,
    packets: (count: number) => progress.set((packets += count)),
  });
  if (model === undefined)
    await readCaptures(
      config,
      files,
      undefined,
      sink((alert) => test.alert(alert), true),
    );
  else {
    await readCaptures(
      config,
      files,
      undefined,
      sink((alert) => test.alertOf('active', alert), true),
    );
    await readCaptures(
      config,
      files,
      model,
      sink((alert) => test.alertOf('candidate', alert), false),
    );
  }
  progress.end();
  return toBacktestReport(test.result(), { sinceMs: Number.isFinite(sinceMs) ? sinceMs : 0, untilMs });
}

async function replaced(policies: readonly Policy[], files: readonly string[]): Promise<Policy[]> {
  const byName = new Map(policies.map((p) => [p.name, p]));
  for (const file of files) {
    const parsed = parsePolicy(await readInput(file), file);
    if (!parsed.ok) throw policyError(parsed.problems);
    byName.set(parsed.policy.name, parsed.policy);
  }
  return [...byName.values()];
}

function reportText(report: Report): string {
  const { active, candidate, blocks, more } = report;
  const time = (ms: number): string => new Date(ms).toISOString().slice(0, 19);
  const lines = [
    `${report.alerts} alerts and ${report.flows} flows from ${time(report.sinceMs)} to ${time(report.untilMs)}`,
    sideText('in force ', active),
    ...(candidate ? [sideText('candidate', candidate)] : []),
  ];
  if (report.rescored !== undefined) {
    const rest = report.otherSchema ? `, ${report.otherSchema} were made of other features and stay as they are` : '';
    lines.push(`${report.rescored} alerts were scored again with the model${rest}`);
  }
  const only = { both: ' ', active: '-', candidate: '+' } as const;
  for (const b of blocks.slice(0, SHOWN)) {
    const what = `${b.action} ${b.value}${b.port === undefined ? '' : `:${b.port}`}`;
    const mark = candidate ? only[b.by] : ' ';
    const innocent = b.innocent ? `  INNOCENT (${b.innocent.reason.replace('_', ' ')}: ${b.innocent.text})` : '';
    const title = plain(b.alertTitle);
    lines.push(`${mark} ${time(b.atMs)}  ${what}  ${formatDuration(b.durationSecs)}  ${b.policy}: ${title}${innocent}`);
  }
  const rest = blocks.length - SHOWN + more;
  if (rest > 0) lines.push(`  ... and ${rest} more`);
  if (candidate) lines.push('+ only the candidate would act, - only the policies in force');
  return lines.join('\n');
}

function sideText(name: string, side: BacktestSide): string {
  const innocent = `${side.innocentOffenders} of them innocent, for ${formatDuration(side.innocentSecs)} in all`;
  return `${name}: ${side.decisions} decisions on ${side.offenders} offenders, ${innocent}`;
}
