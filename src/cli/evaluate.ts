import { Option, type Command } from 'commander';
import { evaluateModel, openBundle, type Evaluation } from '../train/index.js';

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
  const percent = (v: number): string => `${(v * 100).toFixed(2)} %`.padStart(9);
  // Of rows of one kind alone some figures do not exist.
  const ifAny = (rows: number, text: string): string => (rows > 0 ? text : '-'.padStart(text.length));
  const ofBoth = Math.min(m.benignRows, m.attackRows);
  const lines = [
    `${model.name} (${model.algorithm} ${model.id}) at threshold ${threshold.toPrecision(4)}, ${rowsPerSec} rows/s`,
    ...files.map((f) => {
      const refused = Object.entries(f.rejected).map(([why, n]) => `, ${n} ${why.replaceAll('_', ' ')}`);
      return `${f.name}: ${f.rowsKept} of ${f.rowsRead} rows${refused.join('')}`;
    }),
    `recall ${ifAny(m.attackRows, percent(m.recall))}  false alarms ${ifAny(m.benignRows, percent(m.falsePositiveRate))}  accuracy ${percent(m.accuracy)}  precision ${ifAny(ofBoth, percent(m.precision))}  F1 ${ifAny(ofBoth, m.f1.toFixed(4))}`,
    `ROC AUC ${ifAny(ofBoth, m.rocAuc.toFixed(4))}  PR AUC ${ifAny(ofBoth, m.prAuc.toFixed(4))}  recall at budget ${ifAny(ofBoth, percent(m.recallAtBudget))}  ECE ${m.ece.toFixed(4)}`,
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
