import { execa } from 'execa';
import type { Command } from 'commander';
import { loadConfig } from '../config/index.js';
import { createCanaryDetection } from '../daemons/canary/detection.js';
import { runNamespaceCanary, writeTimedRun, type CanaryResult, type CanaryStep } from '../enforce/index.js';
import { EXIT } from '../util/errors.js';

const LONGEST_MS = 120_000;

/** `portcullis canary`: proves with real packets that a scan is seen, decided on, and blocked by the real ruleset. */
export function register(program: Command): void {
  program
    .command('canary')
    .description('prove in private network namespaces that a scan is detected, decided on, and really blocked')
    .option('--config <file>', 'configuration file')
    .option('--json', 'print JSON')
    .option('--result <file>', 'also leave the outcome in this file, where the responder finds it')
    .action(async (raw: { config?: string; json?: boolean; result?: string }) => {
      const startedMs = Date.now();
      if (raw.result !== undefined) writeTimedRun(raw.result, startedMs);
      const result = process.getuid?.() === 0 ? await proveHere(raw.config) : await proveUnprivileged(raw.config);
      if (raw.result !== undefined) writeTimedRun(raw.result, startedMs, result);
      process.stdout.write(raw.json ? `${JSON.stringify(result, null, 2)}\n` : format(result));
      process.exitCode = result.ok ? EXIT.OK : EXIT.OPERATIONAL;
    });
}

async function proveHere(configFile: string | undefined): Promise<CanaryResult> {
  const config = await loadConfig(configFile);
  const { enabled: _enabled, ...behaviour } = config.detect.behaviour;
  return runNamespaceCanary(config.enforce, createCanaryDetection(behaviour));
}

/**
 * Without root: in a user namespace (user_namespaces(7)) whose root may make networks of its own and nothing outside. Names
 * of networks are files below /run, so that is its own too.
 */
async function proveUnprivileged(configFile: string | undefined): Promise<CanaryResult> {
  // What is wrong with the configuration is said here.
  await loadConfig(configFile);
  const [, main = ''] = process.argv;
  const own = [process.execPath, ...process.execArgv, main, 'canary', '--json'];
  if (configFile !== undefined) own.push('--config', configFile);
  const script = 'mount -t tmpfs -o mode=755 tmpfs /run && exec "$@"';
  const unshare = ['--user', '--map-root-user', '--net', '--mount', 'sh', '-c', script, 'sh', ...own];
  const { stdout, stderr } = await execa('unshare', unshare, { reject: false, stdin: 'ignore', timeout: LONGEST_MS });
  try {
    return JSON.parse(stdout ?? '') as CanaryResult;
  } catch {
    const detail = (stderr ?? '').trim().split('\n').at(-1) ?? '';
    if (/^(unshare|mount|sh): /.test(detail)) return outcome([], `no user namespace can be made here: ${detail}`);
    return outcome([{ name: 'the canary', ok: false, ms: 0, detail: `it ended without an outcome: ${detail}` }]);
  }
}

function outcome(steps: CanaryStep[], unprovable?: string): CanaryResult {
  return { ok: false, place: 'namespace', steps, ...(unprovable === undefined ? {} : { unprovable }) };
}

function format({ steps, unprovable }: CanaryResult): string {
  const lines = steps.map(
    (s) => `${s.ok ? 'ok  ' : 'FAIL'}  ${s.ms.toFixed(2).padStart(9)} ms  ${s.name}: ${s.detail}\n`,
  );
  return lines.join('') + (unprovable === undefined ? '' : `not proved here: ${unprovable}\n`);
}
