import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import type { BenchFigure, BenchSection } from './bench/section.js';
import { SECTIONS } from './bench/sections.js';

interface Options {
  json?: true;
  only?: BenchSection[];
  rules?: string[];
  captures?: string[];
}

interface Report {
  node: string;
  cpu: string;
  cores: number;
  sections: { name: string; title: string; figures: BenchFigure[]; skipped: string[] }[];
}

function parseSections(text: string): BenchSection[] {
  return text.split(',').map((name) => {
    const section = SECTIONS.find((s) => s.name === name.trim());
    if (section === undefined) {
      throw new InvalidArgumentError(
        `There is no section "${name}". Sections: ${SECTIONS.map((s) => s.name).join(', ')}.`,
      );
    }
    return section;
  });
}

export function register(program: Command): void {
  program
    .command('bench')
    .description('measure this machine: CPU time a packet from file and live, against cap and Suricata, and memory')
    .option('--json', 'print one JSON document')
    .option(
      '--only <sections>',
      `run only these, comma separated: ${SECTIONS.map((s) => s.name).join(', ')}`,
      parseSections,
    )
    .option('--rules <file...>', 'rule files for the section signatures; those shipped unless given')
    .option('--captures <file...>', 'capture files for the section behaviour, beside made-up traffic')
    .action((options: Options) => runBench(options));
}

async function runBench(options: Options): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'portcullis-bench-'));
  const abort = new AbortController();
  const stop = (): void => abort.abort();
  process.once('SIGINT', stop);
  const rules = options.rules === undefined ? {} : { rules: options.rules };
  const captures = options.captures === undefined ? {} : { captures: options.captures };
  const report: Report = { node: process.version, cpu: cpus()[0]?.model ?? '', cores: cpus().length, sections: [] };
  try {
    for (const section of options.only ?? SECTIONS) {
      if (abort.signal.aborted) break;
      const skipped: string[] = [];
      const progress = (text: string): void => showProgress(`${section.name}: ${text}`);
      const figures = await section.run({ dir, signal: abort.signal, progress, ...rules, ...captures }, (reason) =>
        skipped.push(reason),
      );
      report.sections.push({ name: section.name, title: section.title, figures, skipped });
      showProgress('');
      if (options.json !== true) printSection(report.sections.at(-1)!);
    }
  } finally {
    process.removeListener('SIGINT', stop);
    await rm(dir, { recursive: true, force: true });
  }
  if (options.json === true) process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
}

function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

function printSection({ title, figures, skipped }: Report['sections'][number]): void {
  process.stdout.write(`${title}\n`);
  for (const { name, value, unit, text } of figures) {
    const shown = Number.isInteger(value) ? String(value) : value.toFixed(value < 10 ? 2 : 0);
    process.stdout.write(`  ${name.padEnd(28)} ${shown.padStart(9)} ${unit.padEnd(10)} ${text}\n`);
  }
  for (const reason of skipped) process.stdout.write(`  not measured: ${reason}\n`);
}
