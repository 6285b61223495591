import type { Command } from 'commander';
import { loadConfig } from '../config/index.js';
import { createCanaryDetection } from '../daemons/canary/detection.js';
import { runNamespaceCanary } from '../enforce/index.js';
import { EXIT } from '../util/errors.js';

/** `portcullis canary`: proves with real packets that a scan is seen, decided on, and blocked by the real ruleset. */
export function register(program: Command): void {
  program
    .command('canary')
    .description('prove in private network namespaces that a scan is detected, decided on, and really blocked')
    .option('--config <file>', 'configuration file')
    .option('--json', 'print JSON')
    .action(async (raw: { config?: string; json?: boolean }) => {
      const config = await loadConfig(raw.config);
      const { enabled: _enabled, ...behaviour } = config.detect.behaviour;
      const result = await runNamespaceCanary(config.enforce, createCanaryDetection(behaviour));
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
