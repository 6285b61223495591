import type { Command } from 'commander';
import { loadConfig } from '../config/index.js';
import { runNamespaceCanary } from '../enforce/index.js';
import { EXIT } from '../util/errors.js';

/** `portcullis canary`: proves with a real packet and the real ruleset that a block blocks. */
export function register(program: Command): void {
  program
    .command('canary')
    .description('prove in a private network namespace that a block really blocks')
    .option('--config <file>', 'configuration file')
    .option('--json', 'print JSON')
    .action(async (raw: { config?: string; json?: boolean }) => {
      const config = await loadConfig(raw.config);
      const result = await runNamespaceCanary(config.enforce);
      if (raw.json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
      else {
        for (const s of result.steps) {
          process.stdout.write(
            `${s.ok ? 'ok  ' : 'FAIL'}  ${s.ms.toFixed(2).padStart(9)} ms  ${s.name}: ${s.detail}\n`,
          );
        }
      }
      process.exitCode = result.ok ? EXIT.OK : EXIT.OPERATIONAL;
    });
}
