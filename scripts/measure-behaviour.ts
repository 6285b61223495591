/**
 * Runs the behaviour detectors over labelled captures and prints, per family, sources found of sources attacking and the
 * time to the first alert, and false alerts per 10,000 benign flows.
 *
 *   npx tsx scripts/measure-behaviour.ts FOLDER CAPTURES.csv [--verbose] [--json] [--set=portScan.ports=10]...
 *
 * CAPTURES.csv has the columns path, category, family, label_granularity, attackers; extra columns are ignored.
 */
import { existsSync } from 'node:fs';
import { behaviourOptionsSchema } from '../src/detect/behaviour/index.js';
import { measureCaptures } from './detection/captures.js';
import { quantile } from './detection/replay.js';

/** Options given as `--set=detector.option=number`. */
function overrides(): Record<string, Record<string, number>> {
  const out: Record<string, Record<string, number>> = {};
  for (const word of process.argv) {
    const m = /^--set=(\w+)\.(\w+)=([\d.]+)$/.exec(word);
    if (m) (out[m[1]!] ??= {})[m[2]!] = Number(m[3]);
  }
  return out;
}

const [folder, csv] = process.argv.slice(2).filter((word) => !word.startsWith('--'));
if (folder === undefined || csv === undefined || !existsSync(csv)) {
  console.error('usage: measure-behaviour.ts FOLDER CAPTURES.csv [--verbose] [--json]');
  process.exit(2);
}
const isVerbose = process.argv.includes('--verbose');
const measured = await measureCaptures(folder, csv, behaviourOptionsSchema.parse(overrides()));
const { families, benignFlows, benignPackets, falseAlerts, problems } = measured;
if (isVerbose) for (const problem of problems) console.error(problem);
if (process.argv.includes('--json')) console.log(JSON.stringify(measured, null, 2));
else {
  const seconds = (values: number[], q: number): string => (values.length > 0 ? quantile(values, q).toFixed(2) : '-');
  console.log('| family | found / attacking | time to alert p50 | p95 |\n| --- | --: | --: | --: |');
  for (const { family, found, attacking, secondsToAlert: times, missed } of families) {
    console.log(`| ${family} | ${found} / ${attacking} | ${seconds(times, 0.5)} s | ${seconds(times, 0.95)} s |`);
    if (isVerbose) for (const what of missed) console.log(`    missed: ${what}`);
  }
  const rate = (falseAlerts.length / Math.max(1, benignFlows)) * 10_000;
  console.log(`\nBenign: ${benignFlows} flows, ${benignPackets} packets, ${falseAlerts.length} false alerts`);
  console.log(`= ${rate.toFixed(2)} per 10,000 flows`);
  if (isVerbose) for (const line of falseAlerts) console.log(`    ${line}`);
}
