import type { Command } from 'commander';
import { loadConfig } from '../config/index.js';
import { createBox, ProtectedCollector } from '../enforce/index.js';

/** `portcullis protect list`: what is never blocked on this box, and why. */
export function register(program: Command): void {
  const protect = program.command('protect').description('addresses that are never blocked');
  protect
    .command('list')
    .description('print the protected set as computed from this box')
    .option('--config <file>', 'configuration file')
    .option('--json', 'print JSON')
    .action(async (raw: { config?: string; json?: boolean }) => {
      const config = await loadConfig(raw.config);
      const collector = new ProtectedCollector(createBox());
      const entries = await collector.collect(config.enforce.guard.protected, performance.now());
      if (raw.json) {
        process.stdout.write(`${JSON.stringify(entries, null, 2)}\n`);
        return;
      }
      const width = Math.max(...entries.map((e) => e.value.length));
      for (const e of entries) {
        process.stdout.write(`${e.value.padEnd(width)}  ${e.reason.padEnd(15)}  ${e.detail}\n`);
      }
      process.stdout.write('The running server adds its SIEM, database, bus and console peers.\n');
    });
}
