import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { loadConfig } from '../config/index.js';
import { loadPolicyFolder, parsePolicy, policyCasesSchema, policyJsonSchema, runPolicyCase } from '../policy/index.js';
import { EXIT } from '../util/errors.js';
import { registerBacktest } from './policy-backtest.js';
import { registerVersions } from './policy-versions.js';
import { formatProblem, parseYaml, type FileProblem } from '../util/yaml.js';

/** `portcullis policy check|test|backtest|schema`, and what needs the running server. */
export function register(program: Command): void {
  const policy = program.command('policy').description('check, test, backtest, explain and change policies');
  policy
    .command('check')
    .description('report every problem of policy files, with line and column')
    .argument('[paths...]', 'policy files or folders; ./policies, or that of the configuration, unless given')
    .option('--config <file>', 'configuration file')
    .option('--json', 'print JSON')
    .action(async (given: string[], options: { config?: string; json?: boolean }) => {
      const paths = given.length > 0 ? given : [await defaultFolder(options.config)];
      const problems = (await Promise.all(paths.map(checkPath))).flat();
      if (options.json) process.stdout.write(`${JSON.stringify({ ok: problems.length === 0, problems }, null, 2)}\n`);
      else {
        for (const problem of problems) process.stdout.write(`${formatProblem(problem)}\n`);
        process.stdout.write(problems.length === 0 ? 'All policies are valid.\n' : `${problems.length} problem(s).\n`);
      }
      process.exitCode = problems.length === 0 ? EXIT.OK : EXIT.INPUT;
    });
  policy
    .command('test')
    .description('judge the cases in DIR/tests with the policies in DIR')
    .argument('[dir]', 'policy folder; ./policies, or that of the configuration, unless given')
    .option('--config <file>', 'configuration file')
    .action(async (dir: string | undefined, options: { config?: string }) => {
      process.exitCode = (await testFolder(dir ?? (await defaultFolder(options.config)))) ? EXIT.OK : EXIT.INPUT;
    });
  registerBacktest(policy);
  registerVersions(policy);
  policy
    .command('schema')
    .description('print the JSON Schema of a policy file, for editors')
    .action(() => {
      process.stdout.write(`${JSON.stringify(policyJsonSchema(), null, 2)}\n`);
    });
}

/** The folder where one works, else the one that the daemons read: an installed box has none in root's home. */
async function defaultFolder(config: string | undefined): Promise<string> {
  const isHere = config === undefined && (await stat('policies').catch(() => undefined))?.isDirectory() === true;
  return isHere ? 'policies' : (await loadConfig(config)).policy.dir;
}

async function checkPath(path: string): Promise<FileProblem[]> {
  const info = await stat(path).catch(() => undefined);
  if (!info) return [{ file: path, line: 0, column: 0, path: '', message: 'there is no such file or folder' }];
  if (info.isDirectory()) return (await loadPolicyFolder(path)).problems;
  const result = parsePolicy(await readFile(path, 'utf8'), path);
  return result.ok ? [] : result.problems;
}

/** Prints one line a case; true when every policy has cases and every case holds. */
async function testFolder(dir: string): Promise<boolean> {
  const folder = await loadPolicyFolder(dir);
  for (const problem of folder.problems) process.stdout.write(`${formatProblem(problem)}\n`);
  const tested = new Set<string>();
  let failed = folder.problems.length;
  let passed = 0;
  for (const file of (await readdir(join(dir, 'tests')).catch(() => [])).filter((f) => f.endsWith('.yaml')).sort()) {
    const path = join(dir, 'tests', file);
    const parsed = parseYaml(await readFile(path, 'utf8'), path, policyCasesSchema);
    if (!parsed.ok) {
      for (const problem of parsed.problems) process.stdout.write(`${formatProblem(problem)}\n`);
      failed += parsed.problems.length;
      continue;
    }
    tested.add(parsed.value.policy);
    for (const policyCase of parsed.value.cases) {
      const result = runPolicyCase(folder.policies, policyCase);
      process.stdout.write(`${result.passed ? 'ok    ' : 'FAILED'} ${parsed.value.policy}: ${result.name}\n`);
      for (const difference of result.differences) process.stdout.write(`         ${difference}\n`);
      if (result.passed) passed++;
      else failed++;
    }
  }
  for (const policy of folder.policies.filter((p) => !tested.has(p.name))) {
    process.stdout.write(`FAILED ${policy.name}: has no case in ${join(dir, 'tests')}\n`);
    failed++;
  }
  process.stdout.write(`${passed} held, ${failed} failed\n`);
  return failed === 0;
}
