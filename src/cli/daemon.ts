import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import type { Command } from 'commander';
import { loadConfig, type LoadedConfig } from '../config/index.js';
import { createLogger } from '../daemons/log.js';
import { keepRealtime } from '../daemons/realtime.js';
import { createServiceManager } from '../daemons/service-manager.js';
import type { DaemonMessage } from '../daemons/supervisor.js';
import type { ServerReady } from '../daemons/server/index.js';
import { EXIT, exitCodeFor } from '../util/errors.js';
import { setThreadPriority } from '../util/priority.js';
import { describeError, reportError } from './report.js';
import { applyRunOptions, runOptions, type RunOptions } from './run-options.js';

/** The way from packet to kernel goes before everything else on the box; scoring and storing do not (their threads say so). */
const DAEMON_NICE = -15;

/** In the data folder: name and password of the first account. */
export const FIRST_LOGIN_FILE = 'first-login';

type RunDaemon = (config: LoadedConfig, signal: AbortSignal, ready: (info?: ServerReady) => void) => Promise<void>;

const DAEMONS: Readonly<Record<string, { about: string; run: RunDaemon }>> = {
  sensor: {
    about: 'watch live traffic and send detections to the server (needs CAP_NET_RAW)',
    run: async (config, signal, ready) => {
      const { runSensor } = await import('../daemons/sensor/index.js');
      await runSensor(config, createLogger('sensor', config.log_level), signal, ready);
    },
  },
  server: {
    about: 'correlate, decide, store, forward to the SIEM, serve the API and the console',
    run: async (config, signal, ready) => {
      const { runServerDaemon } = await import('../daemons/server/run.js');
      await runServerDaemon(config, createLogger('server', config.log_level), signal, ready);
    },
  },
  inline: {
    about: 'judge chosen packets before they pass (needs CAP_NET_ADMIN and CAP_NET_RAW)',
    run: async (config, signal, ready) => {
      const { runInline } = await import('../daemons/inline/index.js');
      await runInline(config, createLogger('inline', config.log_level), signal, ready);
    },
  },
  responder: {
    about: 'carry decisions into nftables (needs CAP_NET_ADMIN)',
    run: async (config, signal, ready) => {
      const { runResponder } = await import('../daemons/responder.js');
      await runResponder(config, createLogger('responder', config.log_level), signal, ready);
    },
  },
};

/** `portcullis sensor | server | responder`: one daemon in the foreground. */
export function register(program: Command): void {
  for (const [name, daemon] of Object.entries(DAEMONS)) {
    runOptions(program.command(name).description(daemon.about)).action(async (options: RunOptions) => {
      const stop = new AbortController();
      // SIGHUP means reload for the server; the others have nothing to reload and end with their terminal.
      const ends = ['SIGTERM', 'SIGINT', ...(name === 'server' ? [] : (['SIGHUP'] as const))] as const;
      // The same signal often comes twice, to the process group and from the supervisor: the second must not kill.
      for (const signal of ends)
        process.on(signal, () => {
          stop.abort();
        });
      // A supervisor that died can no longer stop this daemon.
      process.once('disconnect', () => {
        stop.abort();
      });
      compileEagerly();
      const manager = createServiceManager(stop.signal);
      stop.signal.addEventListener('abort', manager.stopping, { once: true });
      let exitCode: number = EXIT.OK;
      try {
        setThreadPriority(DAEMON_NICE);
        const config = applyRunOptions(await loadConfig(options.config), options);
        await daemon.run(config, stop.signal, (info) => {
          if (config.realtime) keepRealtime(stop.signal);
          manager.ready(statusOf(config, info));
          announce(info, config);
        });
      } catch (error) {
        exitCode = exitCodeFor(error);
        // Under a supervisor that one speaks, once for all daemons.
        if (process.connected) await tell({ type: 'failed', text: describeError(error), exitCode });
        else reportError(error);
      }
      // What a failed start left open, or an add-on, may hold the event loop.
      process.exit(exitCode);
    });
  }
}

/** One line for `systemctl status`. */
function statusOf(config: LoadedConfig, info?: ServerReady): string {
  return info ? `console at ${info.url}, mode ${info.mode ?? config.mode}` : 'works';
}

function announce(info: ServerReady | undefined, config: LoadedConfig): void {
  if (process.send) void tell({ type: 'ready', ...(info ? { info } : {}) });
  else if (info) {
    process.stderr.write(`Console: ${info.url}\n`);
    if (info.firstLogin) showFirstLogin(info.firstLogin, config.data_dir);
  }
}

/** A password that the journal keeps for years is no secret: without a terminal it goes to a file of the owner. */
function showFirstLogin({ username, password }: NonNullable<ServerReady['firstLogin']>, dataDir: string): void {
  if (process.stderr.isTTY) {
    process.stderr.write(`First login: ${username} / ${password}\n`);
    return;
  }
  const file = join(dataDir, FIRST_LOGIN_FILE);
  writeFileSync(file, `${username}\n${password}\n`, { mode: 0o600 });
  process.stderr.write(`The first login is in ${file}; remove it when the password has been changed.\n`);
}

/** Resolves when the supervisor has it; at once without one. */
function tell(message: DaemonMessage): Promise<void> {
  if (!process.connected || !process.send) return Promise.resolve();
  return new Promise((resolve) => {
    process.send?.(message, undefined, undefined, () => {
      resolve();
    });
  });
}

/**
 * Most of what a block needs runs a few times an hour and would stay in the interpreter: baseline code for every function
 * on its first call makes the way from packet to kernel shorter.
 */
function compileEagerly(): void {
  setFlagsFromString('--always-sparkplug');
  setFlagsFromString('--no-lazy-feedback-allocation');
}
