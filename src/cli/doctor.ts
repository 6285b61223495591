import type { Command } from 'commander';
import { loadConfig } from '../config/index.js';
import { runDoctor, type DoctorItem } from '../enforce/index.js';
import { EXIT } from '../util/errors.js';
import { inlineItems } from './doctor-inline.js';

const MARK = { ok: 'ok  ', warning: 'WARN', problem: 'FAIL' } as const;

/** `portcullis doctor`: what would let a blocked packet through, and what else is wrong with the box. */
export function register(program: Command): void {
  program
    .command('doctor')
    .description('examine ruleset, interfaces, rights, clock and disk: what is wrong, and the fix')
    .option('--config <file>', 'configuration file')
    .option('--json', 'print JSON')
    .action(async (raw: { config?: string; json?: boolean }) => {
      const config = await loadConfig(raw.config);
      const { interfaces } = config.capture;
      const items = await runDoctor(config.enforce, interfaces.length > 0 ? { sensorInterfaces: interfaces } : {});
      items.push(...(await inlineItems(config.inline)));
      process.stdout.write(raw.json ? `${JSON.stringify(items, null, 2)}\n` : items.map(line).join(''));
      process.exitCode = exitCode(items);
    });
}

function line(item: DoctorItem): string {
  const fix = item.status === 'ok' || item.fix === undefined ? '' : `       fix: ${item.fix}\n`;
  return `${MARK[item.status]}  ${item.title}: ${item.detail}\n${fix}`;
}

/** 0 nothing to mend, 1 warnings, 3 something is broken. */
function exitCode(items: readonly DoctorItem[]): number {
  if (items.some((i) => i.status === 'problem')) return EXIT.OPERATIONAL;
  return items.some((i) => i.status === 'warning') ? EXIT.INPUT : EXIT.OK;
}
