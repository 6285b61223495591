// npx tsx scripts/models-doc.ts --cache DIR [--out docs/models.md]
//
// Writes docs/models.md from what scripts/models-tables.ts and scripts/models-sources.ts measured into the cache folder, and
// from the cards of the shipped models.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { deserialize } from 'node:v8';
import { format } from 'prettier';
import { ALGORITHMS, type Algorithm } from '../src/contract/model-card.js';
import { openBundle } from '../src/train/index.js';
import { BUDGETS, combine, meanRates, type Figures, type FoldScores } from './models-figures.js';

const TABLES = [
  { name: 'nsl-kdd', title: 'NSL-KDD, KDDTrain+' },
  { name: 'kdd99', title: 'KDD Cup 1999, 10 % file, each distinct row once' },
  { name: 'cic', title: 'CIC-IDS2017, corrected labels, without addresses and ports' },
] as const;
const CUTS = { folds: '5-fold', types: 'attack types held back entirely' } as const;
/** Tiers that see different things: known attacks, and what is unlike benign traffic. */
const PAIRS: readonly [Algorithm, Algorithm][] = [
  ['random-forest', 'autoencoder'],
  ['gradient-boosting', 'autoencoder'],
];

type Measured = Figures & { rows: number; dealt: string[]; epochs: string };

const { values } = parseArgs({
  options: {
    cache: { type: 'string' },
    models: { type: 'string', default: 'models' },
    out: { type: 'string', default: 'docs/models.md' },
  },
});
if (values.cache === undefined)
  throw new Error('Give --cache, the folder that models-tables.ts and models-sources.ts filled.');
const cache = values.cache;

const percent = (v: number): string => (100 * v).toFixed(2);
const read = (name: string): Measured | undefined => {
  const path = join(cache, `${name}.json`);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Measured) : undefined;
};

const HEAD = `| algorithm | rows trained on | training, s | accuracy | ROC AUC |${BUDGETS.map((b) => ` recall at ${b * 100} % | its false alarms |`).join('')}
| --- | --: | --: | --: | --: |${BUDGETS.map(() => ' --: | --: |').join('')}`;

function section(table: (typeof TABLES)[number], cut: keyof typeof CUTS): string {
  const rows: string[] = [];
  let about: Measured | undefined;
  for (const algorithm of ALGORITHMS) {
    const m = read(`${table.name}-${cut}-${algorithm}`);
    if (!m) continue;
    about ??= m;
    const note = m.epochs === '' ? '' : ` (${m.epochs} epochs)`;
    rows.push(
      `| ${algorithm}${note} | ${m.trainRows} | ${m.secs.toFixed(1)} | ${percent(m.accuracy)} | ${m.auc.toFixed(4)} |${budgetCells(m.atBudget)}`,
    );
  }
  for (const [a, b] of PAIRS) {
    const both = [a, b].map((x) => join(cache, `${table.name}-${cut}-${x}.scores`));
    if (!both.every((p) => existsSync(p))) continue;
    const [x, y] = both.map((p) => deserialize(readFileSync(p)) as FoldScores[]);
    const rates = meanRates(x!.map((fold, k) => combine(fold, y![k]!)));
    rows.push(`| ${a} or ${b}, half the budget each | | | | |${budgetCells(rates)}`);
  }
  if (!about) return '';
  const dealt =
    about.dealt.length > 0
      ? `\n\nTypes held back together: ${about.dealt.map((t, k) => `${k + 1}: ${t}`).join('; ')}.`
      : '';
  return `### ${table.title} (${about.rows} rows): ${CUTS[cut]}\n\n${HEAD}\n${rows.join('\n')}${dealt}\n`;
}

function budgetCells(list: Figures['atBudget']): string {
  return list.map((b) => ` ${percent(b.recall)} | ${percent(b.falseAlarms)} |`).join('');
}

/** Which algorithms were not measured on a table: an absent row must not pass for a choice. */
function missing(): string {
  const gaps = TABLES.flatMap(({ name }) =>
    (Object.keys(CUTS) as (keyof typeof CUTS)[]).flatMap((cut) => {
      const list = ALGORITHMS.filter((a) => !read(`${name}-${cut}-${a}`));
      return list.length > 0 ? [`${name} ${CUTS[cut]}: ${list.join(', ')}`] : [];
    }),
  );
  return gaps.length > 0 ? `Not measured on the full tables yet: ${gaps.join('; ')}.` : '';
}

interface SourceCount {
  origin: string;
  family: string;
  flows: number;
  reported: number;
  /** Absent in measurements made before captures were counted. */
  captures?: number;
  alarming?: number;
}

function sources(): string {
  const path = join(cache, 'sources-random-forest.json');
  if (!existsSync(path)) return '';
  const { heldOut, alone, labRows } = JSON.parse(readFileSync(path, 'utf8')) as {
    labRows: number;
    heldOut: SourceCount[];
    alone: SourceCount[];
  };
  const line = (c: SourceCount): string => {
    const lab = alone.find((x) => x.origin === c.origin && x.family === c.family);
    return `| ${c.family} | ${c.origin} | ${c.flows} | ${percent(c.reported / c.flows)} | ${c.captures === undefined ? '' : `${c.alarming} of ${c.captures}`} | ${lab ? percent(lab.reported / lab.flows) : ''} |`;
  };
  const rank = (c: SourceCount): string => `${c.family === 'benign' ? 0 : 1}${c.family}${c.origin}`;
  const benign = heldOut.filter((c) => c.family === 'benign');
  const sum = (list: SourceCount[], get: (c: SourceCount) => number): number => list.reduce((n, c) => n + get(c), 0);
  const families = [...new Set(heldOut.map((c) => c.family))].filter((f) => f !== 'benign').sort();
  const totals = families.map((f) => {
    const list = heldOut.filter((c) => c.family === f);
    return `${f} ${percent(sum(list, (c) => c.reported) / sum(list, (c) => c.flows))} %`;
  });
  return `## On networks it has not seen

The settings of the shipped classifier, measured on captures of others: each origin is held out in turn, while our lab's runs
and all other origins train. Nothing of an origin is in the training that it measures. A flow counts when its early or its end
vector is reported. The last column is what the lab alone would have taught.

| family | origin held out | flows | reported, % | captures with any alarm | lab alone, % |
| --- | --- | --: | --: | --: | --: |
${[...heldOut]
  .sort((a, b) => (rank(a) < rank(b) ? -1 : 1))
  .map(line)
  .join('\n')}

Over all origins: benign ${percent(sum(benign, (c) => c.reported) / sum(benign, (c) => c.flows))} % of flows; ${totals.join('; ')}.
The lab's part had ${labRows} vectors when this was measured.

What this says: trained on the lab alone the classifier is of no use elsewhere, which is why the shipped one also learnt from
captures of others. On a network of a kind it has not seen, it is not within the aim of 0.5 % of benign flows everywhere, and
sweeps, floods and slow HTTP of unseen tools are often missed by it; the behaviour tier is there for these. Most of the benign
flows reported are of few captures: a Gnutella client that calls hundreds of hosts, and test captures in which one host names
hundreds of multicast groups.
`;
}

function shipped(root: string): string {
  const dirs = existsSync(root) ? readdirSync(root).filter((n) => existsSync(join(root, n, 'card.json'))) : [];
  return dirs
    .map((name) => {
      const { card } = openBundle(join(root, name));
      const m = card.metrics;
      return [
        `### ${card.name} (${card.algorithm}, ${card.id})\n`,
        `${card.description} Feature schema ${card.schema.name} v${card.schema.version}; classes ${card.classes.join(', ')}${card.unknownThreshold === undefined ? '' : ', and unknown'}. ${card.liveByDefault === false ? 'Scores only where `detect.models.models` names it.' : 'Scores live traffic by default.'}`,
        `Trained on ${card.data.trainRows} vectors, calibrated on ${card.data.calibrationRows}, measured on ${card.data.testRows} of other captures: ` +
          `recall ${percent(m.recall)} %, false alarms ${percent(m.falsePositiveRate)} %, ROC AUC ${m.rocAuc.toFixed(4)}, calibration error ${m.ece.toFixed(4)}.\n`,
        '| label | held-out vectors | reported, % |\n| --- | --: | --: |',
        ...m.perLabel.map((l) => `| ${l.label} | ${l.rows} | ${percent(l.detected)} |`),
        `\nData: ${card.data.files.map((f) => `${f.name}, ${f.rowsKept} vectors`).join('; ')}.\n`,
      ].join('\n');
    })
    .join('\n');
}

const text = `# Models

Written by \`npx tsx scripts/models-doc.ts\` from measurements; do not edit. How models are retrained on this box, judged,
promoted and rolled back is in [training.md](training.md).

## Shipped models

\`npm run models\` builds them, bit for bit the same each time; \`npm run models -- --check\` compares with what is shipped.
The leak test runs first: boosted trees on any one feature alone must not separate attacks from benign traffic.

${shipped(values.models)}
${sources()}
## On public tables

Binary task (benign or attack), one seed; of the KDD tables the 28 columns that come from the network. A row's copies stay in
one fold. Thresholds are chosen on a tenth of the training part that is not trained on, so that they spend a budget of false
alarms on benign rows; accuracy is at probability 0.5, and for the two anomaly models at the 95th percentile of benign scores.
Anomaly models train on benign rows only.

A figure near 99 % on these tables comes from rows that look like those trained on. What decides in use is the table below
each: types of attack that were never seen, at a fixed budget of false alarms. The aim is 90 % of unseen types at 5 %. Seconds are wall time on a
busy machine: they say which algorithm is slow, not how fast one is. ${missing()}

${TABLES.flatMap((t) => [section(t, 'types'), section(t, 'folds')])
  .filter((s) => s !== '')
  .join('\n')}`;
writeFileSync(values.out, await format(text, { parser: 'markdown', printWidth: 120 }));
