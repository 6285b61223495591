import type { Command } from 'commander';
import { loadConfig } from '../config/index.js';
import { readRuleFile } from '../daemons/signatures.js';
import { loadRules, type FileProblem } from '../detect/signature/index.js';
import { EXIT } from '../util/errors.js';

interface FileReport {
  file: string;
  loaded: number;
  failed: number;
  problems: FileProblem[];
}

/** `portcullis rules check`. */
export function register(program: Command): void {
  const rules = program.command('rules').description('check signature rules');
  rules
    .command('check')
    .description('report loaded and skipped rules with line, column and the keyword that was not understood')
    .argument('<file...>', 'rule files')
    .option('--config <file>', 'configuration file, for address and port variables')
    .option('--json', 'print JSON')
    .action(check);
}

async function check(files: string[], options: { config?: string; json?: boolean }): Promise<void> {
  const { signature } = (await loadConfig(options.config)).detect;
  const texts = files.map((file) => ({ file, text: readRuleFile(file) }));
  const classification = signature.classification === undefined ? undefined : readRuleFile(signature.classification);
  const { rules, problems } = loadRules(texts, {
    addressVariables: signature.addresses,
    portVariables: signature.ports,
    classification,
  });
  const reports = files.map((file): FileReport => {
    const own = problems.filter((p) => p.file === file);
    return { file, loaded: rules.filter((r) => r.file === file).length, failed: own.length, problems: own };
  });
  if (options.json) process.stdout.write(`${JSON.stringify({ ok: problems.length === 0, files: reports }, null, 2)}\n`);
  else printReports(reports);
  process.exitCode = problems.length === 0 ? EXIT.OK : EXIT.INPUT;
}

function printReports(reports: readonly FileReport[]): void {
  for (const { file, loaded, failed, problems } of reports) {
    for (const p of problems) {
      const sid = p.signatureId === undefined ? '' : `sid ${p.signatureId}: `;
      process.stdout.write(`${file}:${p.line}:${p.column} ${sid}${p.reason}\n`);
    }
    process.stdout.write(`${file}: ${loaded} loaded, ${failed} skipped\n`);
  }
}
