import type { Command } from 'commander';
import { loadConfig, type LoadedConfig } from '../config/index.js';
import { readConfiguredRules, readRuleFile } from '../daemons/rule-files.js';
import { loadRules, type FileProblem, type LoadedRules } from '../detect/signature/index.js';
import { EXIT } from '../util/errors.js';
import { callApi } from './api-client.js';
import { plain } from './print.js';
import { updateCommand } from './rules/update.js';

interface FileReport {
  file: string;
  loaded: number;
  failed: number;
  problems: FileProblem[];
}

/** `portcullis rules check|update|enable|disable|reload`. */
export function register(program: Command): void {
  const rules = program.command('rules').description('signature rules: check, update, switch on and off');
  rules
    .command('check')
    .description('report loaded and skipped rules with line, column and the keyword that was not understood')
    .argument('[file...]', 'rule files; all that the configuration loads unless given')
    .option('--config <file>', 'configuration file, for address and port variables')
    .option('--json', 'print JSON')
    .action(check);
  updateCommand(rules);
  for (const [name, enabled] of [
    ['enable', true],
    ['disable', false],
  ] as const) {
    rules
      .command(name)
      .description(`switch rules ${enabled ? 'on' : 'off'} in the running server, and for good`)
      .argument('<sid...>', 'sid or gid:sid')
      .option('--comment <text>', 'why')
      .option('--config <file>', 'configuration file')
      .action((ids: string[], options: { comment?: string; config?: string }) => setState(ids, enabled, options));
  }
  rules
    .command('reload')
    .description('make the running sensors read the rule files again')
    .option('--config <file>', 'configuration file')
    .action(async (options: { config?: string }) => {
      const { sensors } = (await callApi(options.config, 'POST', '/rules/reload', {})) as { sensors: number };
      process.stdout.write(`${sensors} sensor(s) read the rules again\n`);
    });
}

async function setState(
  ids: string[],
  enabled: boolean,
  options: { comment?: string; config?: string },
): Promise<void> {
  const body = { enabled, ...(options.comment === undefined ? {} : { comment: options.comment }) };
  for (const id of ids) {
    const [sid = '', gid = '1'] = id.split(':').reverse();
    const rule = (await callApi(options.config, 'PATCH', `/rules/${gid}/${sid}`, body)) as {
      msg: string;
      state: string;
    };
    process.stdout.write(`${gid}:${sid} ${rule.state}: ${plain(rule.msg)}\n`);
  }
}

/** Everything that the configuration loads, or the named files alone. */
function load(files: readonly string[], config: LoadedConfig): LoadedRules & { files: string[] } {
  const { signature } = config.detect;
  if (files.length === 0) {
    const configured = readConfiguredRules(signature);
    const { rules, problems } = loadRules(configured.files, configured.load);
    return {
      rules,
      problems: [...configured.problems, ...problems],
      files: [...configured.files, ...configured.problems].map((f) => f.file),
    };
  }
  const classification = signature.classification === undefined ? undefined : readRuleFile(signature.classification);
  const loaded = loadRules(
    files.map((file) => ({ file, text: readRuleFile(file) })),
    { addressVariables: signature.addresses, portVariables: signature.ports, classification },
  );
  return { ...loaded, files: [...files] };
}

async function check(named: string[], options: { config?: string; json?: boolean }): Promise<void> {
  const { rules, problems, files } = load(named, await loadConfig(options.config));
  const reports = [...new Set(files)].map((file): FileReport => {
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
      process.stdout.write(`${file}:${p.line}:${p.column} ${sid}${plain(p.reason)}\n`);
    }
    process.stdout.write(`${file}: ${loaded} loaded, ${failed} skipped\n`);
  }
}
