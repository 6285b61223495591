import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { noCaptureRights } from '../capture/index.js';
import { loadConfig } from '../config/index.js';
import { DAEMONS, superviseDaemons } from '../daemons/supervisor.js';
import type { ServerReady } from '../daemons/server/index.js';
import { printLogLine } from './log-line.js';
import { CAPABILITY, hasCapability } from '../util/capabilities.js';
import { applyRunOptions, runOptions, type RunOptions } from './run-options.js';

/** `portcullis run`: sensor, server and responder under one supervisor. */
export function register(program: Command): void {
  runOptions(program.command('run').description('run sensor, server and responder under one supervisor')).action(
    async (options: RunOptions) => {
      const config = applyRunOptions(await loadConfig(options.config), options);
      refuseWithoutRights(config.capture.interfaces);
      const stop = new AbortController();
      for (const signal of ['SIGTERM', 'SIGINT'] as const)
        process.on(signal, () => {
          stop.abort();
        });
      const reload = new EventEmitter();
      // A terminal that closes ends what runs in it; without one the signal means: read the settings again.
      const { isTTY } = process.stdin;
      process.on('SIGHUP', () => {
        if (isTTY) stop.abort();
        else reload.emit('reload');
      });
      const args = [
        ...(options.config === undefined ? [] : ['--config', options.config]),
        ...(options.interface ?? []).flatMap((name) => ['--interface', name]),
      ];
      process.exitCode = await superviseDaemons(
        {
          args,
          ...(config.inline.enabled ? { daemons: DAEMONS } : {}),
          ...(process.stdout.isTTY ? { logLine: printLogLine } : {}),
          firstLogin: showFirstLogin,
          ready(info) {
            announce(info, info.mode ?? config.mode);
          },
          failed(text) {
            process.stderr.write(`${text}\n`);
          },
          onReload(run) {
            reload.on('reload', run);
            return () => void reload.off('reload', run);
          },
          restarting(daemon, why, inMs) {
            process.stderr.write(`portcullis: the ${daemon} ended (${why}); it starts again in ${inMs} ms\n`);
          },
        },
        stop.signal,
      );
    },
  );
}

/** Before anything is made: a first login must not be shown by a start that cannot go on. */
function refuseWithoutRights(interfaces: readonly string[]): void {
  if (hasCapability(readFileSync('/proc/self/status', 'utf8'), CAPABILITY.NET_RAW)) return;
  throw noCaptureRights(interfaces.join(', ') || 'every interface');
}

function showFirstLogin({ username, password }: NonNullable<ServerReady['firstLogin']>): void {
  process.stderr.write(
    `\n  First login: ${username}\n  Password:    ${password}   (shown once; you will be asked to change it)\n`,
  );
}

function announce(info: ServerReady, mode: string): void {
  process.stderr.write(`\nPortcullis is running in ${mode} mode.\n  Console: ${info.url}\n\n`);
}
