import { dirname } from 'node:path';
import { Option, type Command } from 'commander';
import { loadConfig, type LoadedConfig } from '../config/index.js';
import { checkSiemOptions } from '../forward/index.js';
import { loadPolicyFolder } from '../policy/index.js';
import { AppError, EXIT } from '../util/errors.js';
import { formatProblem } from '../util/yaml.js';

/** `portcullis check`: the configuration and the policies it names; prints every problem. */
export function register(program: Command): void {
  program
    .command('check')
    .description('check the configuration, the policies and the SIEM settings; prints every problem')
    .option('--config <file>', 'configuration file')
    .addOption(
      new Option(
        '--daemon <name>',
        'only what this daemon needs: policies and SIEM are the business of the server',
      ).choices(['sensor', 'server', 'responder', 'inline']),
    )
    .action(async (options: { config?: string; daemon?: string }) => {
      const problems: string[] = [];
      let config: LoadedConfig | undefined;
      try {
        config = await loadConfig(options.config);
        if ((options.daemon ?? 'server') === 'server') problems.push(...(await problemsOf(config)));
      } catch (error) {
        if (!(error instanceof AppError) || error.kind !== 'user') throw error;
        problems.push(error.message, ...(error.fix === undefined ? [] : [`fix: ${error.fix}`]));
      }
      for (const problem of problems) process.stdout.write(`${problem}\n`);
      if (problems.length === 0)
        process.stdout.write(
          `The configuration is valid${config?.file ? ` (${config.file})` : ' (built-in defaults)'}.\n`,
        );
      process.exitCode = problems.length === 0 ? EXIT.OK : EXIT.INPUT;
    });
}

async function problemsOf(config: LoadedConfig): Promise<string[]> {
  const folder = await loadPolicyFolder(config.policy.dir);
  const baseDir = config.file === undefined ? config.data_dir : dirname(config.file);
  const siem = checkSiemOptions(config.siem, config.data_dir, baseDir);
  return [...folder.problems.map(formatProblem), ...siem.map((p) => `${p.path}: ${p.message} (fix: ${p.fix})`)];
}
