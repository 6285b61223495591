import { userInfo } from 'node:os';
import { Option, type Command } from 'commander';
import type { ModelCard } from '../contract/model-card.js';
import { readFileSync, writeFileSync } from 'node:fs';
import { challengeOptionsSchema, createRegistry, runChallenge, type RegisteredModel } from '../train/index.js';
import { clock, progress } from './train.js';

/** `portcullis model list|show|promote|rollback`: which models there are and which one is in use. */
export function register(program: Command): void {
  const model = program.command('model').description('list, inspect, promote and roll back models');
  const folder = ['--models <dir>', 'model folder', 'models'] as const;
  model
    .command('list')
    .description('models of a folder')
    .option(...folder)
    .option('--json', 'print JSON')
    .action(({ models, json }: { models: string; json?: boolean }) => {
      const list = createRegistry(models).list();
      process.stdout.write(json ? `${JSON.stringify(list, null, 2)}\n` : table(list));
    });
  model
    .command('show')
    .description('card and history of one model')
    .argument('<name>')
    .option(...folder)
    .option('--json', 'print JSON')
    .action((name: string, { models, json }: { models: string; json?: boolean }) => {
      const { card, history, dir } = createRegistry(models).show(name);
      if (json) process.stdout.write(`${JSON.stringify({ dir, card, history }, null, 2)}\n`);
      else {
        process.stdout.write(describe(card));
        for (const h of history) {
          process.stdout.write(`${new Date(h.atMs).toISOString()} ${h.action} ${h.id} by ${h.by}: ${h.reason}\n`);
        }
      }
    });
  model
    .command('promote')
    .description('make a bundle the current model of its name')
    .argument('<bundle>', 'folder that `portcullis train --out` made')
    .option(...folder)
    .option('--name <name>', 'name; the one in its card unless given')
    .option('--reason <text>', 'for the history', 'by hand')
    .action((bundle: string, { models, name, reason }: { models: string; name?: string; reason: string }) => {
      const entry = createRegistry(models).promote(bundle, {
        name,
        by: userInfo().username,
        reason,
        nowMs: Date.now(),
      });
      process.stdout.write(
        `${entry.id} is current${entry.previous ? `; ${entry.previous} is kept for rollback` : ''}\n`,
      );
    });
  model
    .command('rollback')
    .description('return to the model before the current one')
    .argument('<name>')
    .option(...folder)
    .option('--reason <text>', 'for the history', 'by hand')
    .action((name: string, { models, reason }: { models: string; reason: string }) => {
      const entry = createRegistry(models).rollback(name, { by: userInfo().username, reason, nowMs: Date.now() });
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

function table(list: readonly RegisteredModel[]): string {
  if (list.length === 0) return 'No models.\n';
  const rows = list.map(({ name, card, problem, versions }) =>
    card
      ? [
          name,
          card.id,
          card.algorithm,
          `${card.schema.name} v${card.schema.version}`,
          percent(card.metrics.recall),
          percent(card.metrics.falsePositiveRate),
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
    `held-out (${m.rows} rows): recall ${percent(m.recall)}, false alarms ${percent(m.falsePositiveRate)}, ROC AUC ${m.rocAuc.toFixed(4)}, PR AUC ${m.prAuc.toFixed(4)}, ECE ${m.ece.toFixed(4)}`,
    ...m.perLabel.map((l) => `  ${l.label}: ${percent(l.detected)} of ${l.rows} reported`),
    `data: ${card.data.files.map((f) => `${f.name} (${f.rowsKept} rows, ${f.sha256.slice(0, 12)})`).join(', ')}; split ${card.data.split}; seed ${card.seed}`,
    `export differs by at most ${card.parity.maxDifference.toExponential(1)} on ${card.parity.rows} rows`,
  ];
  return `${lines.join('\n')}\n`;
}

function percent(v: number): string {
  return `${(v * 100).toFixed(2)} %`;
}
