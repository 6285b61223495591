import { Option, type Command } from 'commander';
import { ALGORITHMS, type ModelCard } from '../contract/model-card.js';
import { trainModel, trainOptionsSchema } from '../train/index.js';
import { AppError } from '../util/errors.js';
import { heldOut } from './figures.js';

const COUNTS = [
  'epochs',
  'batchSize',
  'trees',
  'maxLeaves',
  'seed',
  'maxRows',
  'benignShare',
  'monotoneShare',
  'learningRate',
  'l1',
  'l2',
] as const;

/** `portcullis train`: from data files to a model bundle. */
export function register(program: Command): void {
  program
    .command('train')
    .description('train a model on labelled data and write it as a bundle')
    .requiredOption('--data <files...>', 'data files: CSV, optionally .gz')
    .addOption(
      new Option('--format <kind>', 'kind of table')
        .choices(['auto', 'kddcup99', 'nsl-kdd', 'cic', 'portcullis'])
        .default('auto'),
    )
    .addOption(new Option('--algorithm <name>', 'what to train').choices(ALGORITHMS).makeOptionMandatory())
    .requiredOption('--out <dir>', 'folder of the model bundle')
    .option('--epochs <n>', 'passes over the data (networks, linear models) or rounds of boosting')
    .option('--batch-size <n>', 'rows a step (networks)')
    .option('--trees <n>', 'trees (forests, boosting)')
    .option('--max-leaves <n>', 'leaves a tree')
    .option('--learning-rate <x>', 'step size (boosting, networks)')
    .option('--l1 <x>', 'L1 penalty (logistic regression)')
    .option('--l2 <x>', 'L2 penalty (logistic regression, svm)')
    .addOption(new Option('--kernel <name>', 'svm').choices(['linear', 'rbf']))
    .addOption(
      new Option('--categories <how>', 'boosted trees: categories as their codes, or by target encoding').choices([
        'codes',
        'target',
      ]),
    )
    .addOption(
      new Option('--classes <mode>', 'what to tell apart')
        .choices(['auto', 'binary', 'family', 'label'])
        .default('auto'),
    )
    .addOption(new Option('--split <how>', 'how rows are held out').choices(['group', 'time']).default('group'))
    .addOption(
      new Option('--balance <how>', 'treatment of rare classes')
        .choices(['none', 'weights', 'undersample', 'smote'])
        .default('none'),
    )
    .option('--benign-share <share>', 'share of all weight that benign rows have (with --balance weights)')
    .addOption(
      new Option('--missing <how>', 'rows with empty or NaN cells').choices(['reject', 'keep']).default('reject'),
    )
    .addOption(
      new Option('--kdd-columns <which>', 'columns of KDD tables').choices(['network', 'all']).default('network'),
    )
    .option('--false-positive-budget <share>', 'share of benign flows that may alarm', '0.005')
    .option('--ignore <features...>', 'features that the model must not use')
    .option('--monotone <features...>', 'features of which more never makes a flow less suspicious (random forest)')
    .option('--monotone-share <share>', 'share of the trees that keep them so (1)')
    .option('--max-rows <n>', 'rows kept in memory; beyond it a uniform sample', '1000000')
    .option('--seed <n>', 'same seed and data, same model', '1')
    .addOption(new Option('--progress <how>', 'progress on stderr').choices(['auto', 'json', 'none']).default('auto'))
    .option('--name <name>', 'name in the model card')
    .option('--description <text>', 'sentence for the model card')
    .action(async (raw: Record<string, unknown>) => {
      const card = await trainModel(parseOptions(raw), { onProgress: progress(String(raw['progress'])), ...clock() });
      process.stdout.write(summary(card, String(raw['out'])));
    });
}

function parseOptions(raw: Record<string, unknown>): ReturnType<typeof trainOptionsSchema.parse> {
  const numbers = Object.fromEntries(
    [...COUNTS, 'falsePositiveBudget' as const]
      .filter((key) => raw[key] !== undefined)
      .map((key) => [key, Number(raw[key])]),
  );
  const parsed = trainOptionsSchema.safeParse({ ...withoutProgress(raw), ...numbers });
  if (parsed.success) return parsed.data;
  throw new AppError({
    kind: 'user',
    code: 'train.options',
    message: parsed.error.issues.map((i) => `--${kebab(i.path.join('.'))}: ${i.message}`).join('; '),
    fix: 'See portcullis train --help.',
  });
}

function withoutProgress({ progress: _progress, ...rest }: Record<string, unknown>): Record<string, unknown> {
  return rest;
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
}

/** SOURCE_DATE_EPOCH (reproducible-builds.org) fixes the time in the card and leaves timings out. */
export function clock(): { trainedMs: number; repeatable: boolean } {
  const fixed = process.env['SOURCE_DATE_EPOCH'];
  return fixed === undefined
    ? { trainedMs: Date.now(), repeatable: false }
    : { trainedMs: Number(fixed) * 1000, repeatable: true };
}

/** At most ten lines a second on stderr: rewritten in place on a terminal, JSON for a program that asked. */
export function progress(how: string): (step: string, done: number, total: number) => void {
  if (how === 'none' || (how === 'auto' && !process.stderr.isTTY)) return () => undefined;
  let last = -Infinity;
  return (step, done, total) => {
    const now = performance.now();
    if (now - last < 100 && done !== total) return;
    last = now;
    if (how === 'json') {
      process.stderr.write(`${JSON.stringify({ step, done, total })}\n`);
      return;
    }
    const part = total > 0 ? ` ${done}/${total}` : done > 0 ? ` ${done}` : '';
    process.stderr.write(`\r\x1b[K${step}${part}${done === total && total > 0 ? '\n' : ''}`);
  };
}

function summary(card: ModelCard, out: string): string {
  const percent = (v: number): string => `${(v * 100).toFixed(2)} %`;
  const rejected = card.data.files.flatMap((f) =>
    Object.entries(f.rejected).map(([why, n]) => `  ${f.name}: ${n} rows refused: ${why.replaceAll('_', ' ')}\n`),
  );
  return (
    `${card.algorithm} ${card.id} -> ${out}\n` +
    `  rows: ${card.data.trainRows} train, ${card.data.calibrationRows} calibration, ${card.data.testRows} test (${card.data.split})\n` +
    rejected.join('') +
    `  threshold ${card.threshold.toPrecision(4)} for ${percent(card.falsePositiveBudget)} false alarms\n` +
    `  ${heldOut(card.metrics)}\n` +
    `  classes: ${card.classes.join(', ')}${card.unknownThreshold === undefined ? '' : ', unknown'}\n` +
    `  export differs by at most ${card.parity.maxDifference.toExponential(1)} on ${card.parity.rows} rows\n`
  );
}
