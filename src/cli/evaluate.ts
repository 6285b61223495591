import { Option, type Command } from 'commander';
import type { FigureName } from '../contract/model-card.js';
import { evaluateModel, openBundle, type Evaluation } from '../train/index.js';
import { figure } from './figures.js';

/** `100.00 %` and a blank. */
const SHARE_WIDTH = 9;

/** `portcullis evaluate`: a model's figures on given data, at the threshold of its card. */
export function register(program: Command): void {
  program
    .command('evaluate')
    .description('measure a model on labelled data')
    .requiredOption('--model <dir>', 'model bundle')
    .requiredOption('--data <files...>', 'data files of any size: CSV, optionally .gz, or Parquet')
    .addOption(
      new Option('--format <kind>', 'kind of table')
        .choices(['auto', 'kddcup99', 'nsl-kdd', 'cic', 'portcullis'])
        .default('auto'),
    )
    .addOption(
      new Option('--missing <how>', 'rows with empty or NaN cells').choices(['reject', 'keep']).default('reject'),
    )
    .option('--json', 'print JSON')
    .action(
      async (raw: { model: string; data: string[]; format: 'auto'; missing: 'reject' | 'keep'; json?: boolean }) => {
        const result = await evaluateModel(openBundle(raw.model), raw.data, {
          format: raw.format,
          missing: raw.missing,
        });
        process.stdout.write(raw.json ? `${JSON.stringify(result, null, 2)}\n` : report(result));
      },
    );
}

function report({ model, files, threshold, metrics: m, rowsPerSec }: Evaluation): string {
  const percent = (v: number): string => `${(v * 100).toFixed(2)} %`.padStart(SHARE_WIDTH);
  const text = (name: FigureName): string => figure(m, name).padStart(SHARE_WIDTH);
  const lines = [
    `${model.name} (${model.algorithm} ${model.id}) at threshold ${threshold.toPrecision(4)}, ${rowsPerSec} rows/s`,
    ...files.map((f) => {
      const refused = Object.entries(f.rejected).map(([why, n]) => `, ${n} ${why.replaceAll('_', ' ')}`);
      return `${f.name}: ${f.rowsKept} of ${f.rowsRead} rows${refused.join('')}`;
    }),
    `recall ${text('recall')}  false alarms ${text('falsePositiveRate')}  accuracy ${text('accuracy')}  precision ${text('precision')}  F1 ${figure(m, 'f1')}`,
    `ROC AUC ${figure(m, 'rocAuc')}  PR AUC ${figure(m, 'prAuc')}  recall at budget ${text('recallAtBudget')}  ECE ${figure(m, 'ece')}`,
    '',
    `${'class'.padEnd(24)} ${'rows'.padStart(8)} precision    recall        F1`,
    ...m.perClass.map(
      (c) =>
        `${c.label.padEnd(24)} ${String(c.rows).padStart(8)} ${percent(c.precision)} ${percent(c.recall)}    ${c.f1.toFixed(4)}`,
    ),
    '',
    `${'label'.padEnd(24)} ${'rows'.padStart(8)}  reported`,
    ...m.perLabel.map((l) => `${l.label.padEnd(24)} ${String(l.rows).padStart(8)} ${percent(l.detected)}`),
  ];
  return `${lines.join('\n')}\n`;
}
