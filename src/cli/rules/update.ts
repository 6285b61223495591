import { basename, resolve } from 'node:path';
import type { Command } from 'commander';
import { loadConfig, type LoadedConfig } from '../../config/index.js';
import {
  openRuleFolder,
  updateRules,
  type RuleSourceOptions,
  type SourceUpdate,
} from '../../detect/signature/index.js';
import { AppError, EXIT } from '../../util/errors.js';
import { callApi } from '../api-client.js';

interface UpdateFlags {
  config?: string;
  name?: string;
  sha256?: string;
  force?: boolean;
  dryRun?: boolean;
  json?: boolean;
}

/** `portcullis rules update [SOURCE|URL|FILE|FOLDER...]`. */
export function updateCommand(rules: Command): void {
  rules
    .command('update')
    .description('fetch rules, verify and compare them, and put them in force without a restart')
    .argument('[source...]', 'names of configured sources, or URLs, tar archives, folders, rule files; all configured')
    .option('--name <name>', 'name of a source that is not configured; from its file name unless given')
    .option('--sha256 <sum>', 'checksum of a source that is not configured')
    .option('--force', 'take it also when most rules are gone or not understood')
    .option('--dry-run', 'only fetch, verify and compare')
    .option('--json', 'print the report as JSON')
    .option('--config <file>', 'configuration file')
    .action(update);
}

async function update(given: string[], flags: UpdateFlags): Promise<void> {
  const config = await loadConfig(flags.config);
  const { signature } = config.detect;
  const report = await updateRules({
    sources: sourcesOf(given, flags, config),
    folder: openRuleFolder(signature.folder),
    actor: 'command line',
    force: flags.force === true,
    dryRun: flags.dryRun === true,
    load: { addressVariables: signature.addresses, portVariables: signature.ports },
  });
  const changed = flags.dryRun !== true && report.sources.some((s) => s.result === 'updated');
  const live = changed ? await tellServer(flags.config) : '';
  if (flags.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else {
    for (const source of report.sources) printSource(source, flags.dryRun === true);
    if (live !== '') process.stdout.write(`${live}\n`);
  }
  process.exitCode = report.ok ? EXIT.OK : EXIT.OPERATIONAL;
}

function sourcesOf(given: readonly string[], flags: UpdateFlags, config: LoadedConfig): RuleSourceOptions[] {
  const { sources } = config.detect.signature;
  const chosen =
    given.length === 0
      ? sources.filter((s) => s.enabled)
      : given.map((text) => sources.find((s) => s.name === text) ?? adHoc(text, flags));
  if (chosen.length > 0) return chosen;
  throw new AppError({
    kind: 'user',
    code: 'rules.no_sources',
    message: 'No source of rules is configured.',
    fix: 'Name one under detect.signature.sources, or give a URL, a tar archive, a folder or a rule file.',
  });
}

function adHoc(text: string, flags: UpdateFlags): RuleSourceOptions {
  const isUrl = /^[a-z]+:\/\//i.test(text);
  const path = isUrl ? new URL(text).pathname : text;
  const name = flags.name ?? basename(path).replace(/(\.rules)?(\.tar)?(\.gz|\.tgz)?$/i, '');
  const clean = name
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 64);
  return {
    name: clean === '' ? 'rules' : clean,
    url: isUrl ? text : resolve(text),
    enabled: true,
    checksum: 'auto',
    headers: {},
    ...(flags.sha256 === undefined ? {} : { sha256: flags.sha256 }),
  };
}

/** A running server makes its sensors read the new files. */
async function tellServer(config: string | undefined): Promise<string> {
  try {
    const { sensors } = (await callApi(config, 'POST', '/rules/reload', {})) as { sensors: number };
    return `in force on ${sensors} sensor(s)`;
  } catch (error) {
    if (error instanceof AppError && error.code.startsWith('cli.'))
      return 'no server answers here: a sensor takes the rules when it starts';
    throw error;
  }
}

function printSource(s: SourceUpdate, dryRun: boolean): void {
  if (s.result === 'failed') {
    process.stdout.write(`${s.source}: not updated: ${s.error ?? ''}; the rules of before stay in force\n`);
    return;
  }
  const sum = s.checksum === 'none' ? 'no checksum published' : `${s.checksum} verified`;
  const done = dryRun ? 'would be' : s.result;
  process.stdout.write(
    `${s.source}: ${done}: ${s.rules} rules in ${s.files} files (${sum}); ` +
      `${s.counts.new} new, ${s.counts.changed} changed, ${s.counts.gone} gone, ${s.failed} not understood\n`,
  );
}
