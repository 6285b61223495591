import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import { parse } from 'yaml';
import { siemOptionsSchema, testDestination, type SiemOptions } from '../forward/index.js';
import { AppError, errorMessage, EXIT } from '../util/errors.js';
import { silentLogger } from '../util/logger.js';

/** The seam to the configuration: what `siem test` needs of it. */
export interface LoadedSiem {
  siem: SiemOptions;
  dataDir: string;
  configDir: string;
}

/** Reads the `siem:` section of one YAML file. */
function loadFromFile(path: string): LoadedSiem {
  let section: unknown;
  try {
    const file: unknown = parse(readFileSync(path, 'utf8'));
    section = typeof file === 'object' && file !== null && 'siem' in file ? file.siem : {};
  } catch (error) {
    throw new AppError({
      kind: 'user',
      code: 'config.unreadable',
      message: `Cannot read ${path}: ${errorMessage(error)}.`,
      fix: 'Give the configuration with --config FILE.',
    });
  }
  const parsed = siemOptionsSchema.safeParse(section);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `siem.${issue.path.join('.')}: ${issue.message}`);
    throw new AppError({ kind: 'user', code: 'siem.options', message: problems.join('; '), fix: `Correct ${path}.` });
  }
  const dir = dirname(resolve(path));
  return { siem: parsed.data, dataDir: dir, configDir: dir };
}

/** `portcullis siem test DESTINATION`: shows the exact bytes and the receiver's answer. */
export function register(
  program: Command,
  load: (path: string) => LoadedSiem | Promise<LoadedSiem> = loadFromFile,
): void {
  program
    .command('siem')
    .description('the way to the SIEM')
    .command('test')
    .argument('<destination>', 'name of a destination in the configuration')
    .option('--config <file>', 'configuration file', '/etc/portcullis/portcullis.yaml')
    .option('--json', 'machine-readable result')
    .description('send one harmless event and show the exact bytes and the answer')
    .action(async (destination: string, flags: { config: string; json?: boolean }) => {
      const { siem, dataDir, configDir } = await load(flags.config);
      const deps = { dataDir, configDir, log: silentLogger, now: () => Date.now(), hostName: hostname() };
      const result = await testDestination(siem, destination, deps);
      if (flags.json === true) {
        process.stdout.write(`${JSON.stringify(result)}\n`);
      } else {
        process.stdout.write(`sent:\n${result.bytes.trimEnd()}\n\nanswer:\n${result.answer.trimEnd() || '(none)'}\n\n`);
        process.stdout.write(
          result.ok ? 'ok: the receiver has it\n' : `failed: ${result.error ?? 'no confirmation'}\n`,
        );
      }
      if (!result.ok) process.exitCode = EXIT.OPERATIONAL;
    });
}
