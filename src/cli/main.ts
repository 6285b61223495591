#!/usr/bin/env node
import '../util/no-telemetry.js';
import { Command, CommanderError } from 'commander';
import { EXIT } from '../util/errors.js';
import { withSystemFolders } from '../util/system-path.js';
import { VERSION } from '../util/version.js';
import { endWithReader } from './output-reader.js';
import { reportError } from './report.js';

type Register = (program: Command) => void;

/** One file defines the three daemons. */
const daemon = () => import('./daemon.js');
const backup = () => import('./backup.js');

/** Sub-command -> the file that defines it. Loaded on demand, so that `portcullis --version` does not load the world. */
const COMMANDS: Readonly<Record<string, () => Promise<{ register: Register }>>> = {
  run: () => import('./run.js'),
  sensor: daemon,
  server: daemon,
  responder: daemon,
  inline: daemon,
  interfaces: () => import('./interfaces.js'),
  analyze: () => import('./analyze.js'),
  capture: () => import('./capture.js'),
  features: () => import('./features.js'),
  train: () => import('./train.js'),
  evaluate: () => import('./evaluate.js'),
  model: () => import('./model.js'),
  policy: () => import('./policy.js'),
  rules: () => import('./rules.js'),
  intel: () => import('./intel.js'),
  decision: () => import('./decision.js'),
  protect: () => import('./protect.js'),
  explain: () => import('./explain.js'),
  siem: () => import('./siem.js'),
  user: () => import('./user.js'),
  fleet: () => import('./fleet.js'),
  doctor: () => import('./doctor.js'),
  canary: () => import('./canary.js'),
  backup,
  restore: backup,
  check: () => import('./check.js'),
  bench: () => import('./bench.js'),
  manual: () => import('./manual.js'),
};

async function main(argv: string[]): Promise<number> {
  const program = new Command('portcullis')
    .description('Watches live traffic, decides by policy, blocks with nftables, and tells your SIEM.')
    .version(VERSION)
    .showHelpAfterError()
    .exitOverride();
  const [first = '', second] = argv.slice(2).filter((word) => !word.startsWith('-'));
  const wanted = first === 'help' ? (second ?? '') : first;
  // The manual page is about all of them.
  const isOne = Object.hasOwn(COMMANDS, wanted) && wanted !== 'manual';
  const asksVersion = ['--version', '-V'].includes(argv[2] ?? '');
  const loaders = asksVersion ? [] : isOne ? [COMMANDS[wanted]!] : Object.values(COMMANDS);
  for (const load of new Set(loaders)) (await load()).register(program);
  program.commands.forEach((command) => inheritExitOverride(command));
  try {
    // Of an unknown topic the library would show the help of everything, and call that success.
    if (first === 'help' && wanted !== '' && wanted !== 'help' && !Object.hasOwn(COMMANDS, wanted))
      program.error(`error: unknown command '${wanted}'`, { code: 'commander.unknownCommand' });
    await program.parseAsync(argv);
    return process.exitCode === undefined ? EXIT.OK : Number(process.exitCode);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.OK : EXIT.USAGE;
    return reportError(error);
  }
}

function inheritExitOverride(command: Command): void {
  command.exitOverride();
  command.commands.forEach((child) => inheritExitOverride(child));
}

endWithReader();
process.env['PATH'] = withSystemFolders(process.env['PATH']);
process.exitCode = await main(process.argv);
