import { userInfo } from 'node:os';
import { Option, type Command } from 'commander';
import type { ModelCard } from '../contract/model-card.js';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installRoot, loadConfig } from '../config/index.js';
import { MODELS_DIR } from '../daemons/model-folders.js';
import { challengeOptionsSchema, createRegistry, runChallenge, type RegisteredModel } from '../train/index.js';
import { figure, heldOut } from './figures.js';
import { clock, progress } from './train.js';

/** `portcullis model list|show|promote|rollback`: which models there are and which one is in use. */
export function register(program: Command): void {
  const model = program.command('model').description('list, inspect, promote and roll back models');
  const sub = (name: string, about: string): Command =>
    model
      .command(name)
      .description(about)
      .option('--models <dir>', 'model folder; ./models, or those of the box, unless given')
      .option('--config <file>', 'configuration file: where the box has its models');
  sub('list', 'models of a folder')
    .option('--json', 'print JSON')
    .action(async ({ json, ...where }: Where & { json?: boolean }) => {
      const seen = new Set<string>();
      const list = (await foldersOf(where))
        .flatMap((folder) => createRegistry(folder).list())
        .filter(({ name }) => !seen.has(name) && seen.add(name));
      process.stdout.write(json ? `${JSON.stringify(list, null, 2)}\n` : table(list));
    });
  sub('show', 'card and history of one model')
    .argument('<name>')
    .option('--json', 'print JSON')
    .action(async (name: string, { json, ...where }: Where & { json?: boolean }) => {
      const registries = (await foldersOf(where)).map(createRegistry);
      const having = registries.find((registry) => registry.list().some((known) => known.name === name));
      const { card, history, dir } = (having ?? registries[0]!).show(name);
      if (json) process.stdout.write(`${JSON.stringify({ dir, card, history }, null, 2)}\n`);
      else {
        process.stdout.write(describe(card));
        for (const h of history) {
          process.stdout.write(`${new Date(h.atMs).toISOString()} ${h.action} ${h.id} by ${h.by}: ${h.reason}\n`);
        }
      }
    });
  sub('promote', 'make a bundle the current model of its name')
    .argument('<bundle>', 'folder that `portcullis train --out` made')
    .option('--name <name>', 'name; the one in its card unless given')
    .option('--reason <text>', 'for the history', 'by hand')
    .action(async (bundle: string, { name, reason, ...where }: Where & { name?: string; reason: string }) => {
      const entry = createRegistry((await foldersOf(where))[0]!).promote(bundle, {
        name,
        by: userInfo().username,
        reason,
        nowMs: Date.now(),
      });
      process.stdout.write(
        `${entry.id} is current${entry.previous ? `; ${entry.previous} is kept for rollback` : ''}\n`,
      );
    });
  sub('rollback', 'return to the model before the current one')
    .argument('<name>')
    .option('--reason <text>', 'for the history', 'by hand')
    .action(async (name: string, { reason, ...where }: Where & { reason: string }) => {
      const entry = createRegistry((await foldersOf(where))[0]!).rollback(name, {
        by: userInfo().username,
        reason,
        nowMs: Date.now(),
      });
      process.stdout.write(`${entry.id} is current again\n`);
    });
  model
    .command('challenge')
    .description('train a challenger as the nightly run does, and judge it against the champion')
    .argument('<file>', 'JSON file: champion, base, live, out and limits, as the server writes it')
    .requiredOption('--report <file>', 'JSON file to write the verdict to')
    .addOption(new Option('--progress <how>', 'progress on stderr').choices(['auto', 'json', 'none']).default('auto'))
    .action(async (file: string, { report, progress: how }: { report: string; progress: string }) => {
      const options = challengeOptionsSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
      const result = await runChallenge(options, { onProgress: progress(how), ...clock() });
      writeFileSync(report, `${JSON.stringify(result, null, 1)}\n`, { flush: true });
      process.stdout.write(
        `${result.challenger} ${result.gate.promote ? 'is better than the champion' : 'is not better than the champion'}\n` +
          result.gate.checks.map((c) => `  ${c.passed ? 'passed' : 'FAILED'} ${c.name}: ${c.detail}\n`).join(''),
      );
    });
}

interface Where {
  models?: string;
  config?: string;
}

/** Model folders, the one that is changed first: where one works, else what this box has promoted and what was shipped. */
async function foldersOf({ models, config }: Where): Promise<string[]> {
  if (models !== undefined) return [models];
  if (config === undefined && existsSync('models')) return ['models'];
  const { data_dir: dataDir } = await loadConfig(config);
  return [join(dataDir, MODELS_DIR), join(installRoot(), 'models')];
}

function table(list: readonly RegisteredModel[]): string {
  if (list.length === 0) return 'No models.\n';
  const rows = list.map(({ name, card, problem, versions }) =>
    card
      ? [
          name,
          card.id,
          card.algorithm,
          `${card.schema.name} v${card.schema.version}`,
          figure(card.metrics, 'recall'),
          figure(card.metrics, 'falsePositiveRate'),
          String(versions),
        ]
      : [name, 'broken', problem ?? '', '', '', '', String(versions)],
  );
  const all = [['NAME', 'ID', 'ALGORITHM', 'SCHEMA', 'RECALL', 'FALSE ALARMS', 'VERSIONS'], ...rows];
  const widths = all[0]!.map((_, c) => Math.max(...all.map((row) => row[c]!.length)));
  return all
    .map(
      (row) =>
        `${row
          .map((cell, c) => cell.padEnd(widths[c]!))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

function describe(card: ModelCard): string {
  const m = card.metrics;
  const lines = [
    `${card.name} ${card.id}: ${card.algorithm}, ${card.tier}${card.description ? `. ${card.description}` : ''}`,
    `schema ${card.schema.name} v${card.schema.version} (${card.schema.features.length} features, ${card.schema.hash.slice(0, 16)})`,
    `classes ${card.classes.join(', ')}${card.unknownThreshold === undefined ? '' : ', unknown'}`,
    `threshold ${card.threshold.toPrecision(4)} for ${percent(card.falsePositiveBudget)} false alarms; confidence by ${card.calibration.method}`,
    heldOut(m),
    ...m.perLabel.map((l) => `  ${l.label}: ${percent(l.detected)} of ${l.rows} reported`),
    `data: ${card.data.files.map((f) => `${f.name} (${f.rowsKept} rows, ${f.sha256.slice(0, 12)})`).join(', ')}; split ${card.data.split}; seed ${card.seed}`,
    `export differs by at most ${card.parity.maxDifference.toExponential(1)} on ${card.parity.rows} rows`,
  ];
  return `${lines.join('\n')}\n`;
}

function percent(v: number): string {
  return `${(v * 100).toFixed(2)} %`;
}
