import type { Command } from 'commander';
import type { LoadedConfig } from '../config/index.js';

export interface RunOptions {
  config?: string;
  interface?: string[];
}

/** The options that every daemon and `run` share. */
export function runOptions(command: Command): Command {
  return command
    .option('--config <file>', 'configuration file; built-in defaults without one')
    .option('--interface <name>', 'interface to watch; may be given more than once', collect);
}

function collect(value: string, previous: string[] | undefined): string[] {
  return [...(previous ?? []), value];
}

/** What is given on the command line wins over the file. */
export function applyRunOptions(config: LoadedConfig, options: RunOptions): LoadedConfig {
  if (options.interface === undefined) return config;
  return { ...config, capture: { ...config.capture, interfaces: options.interface } };
}
