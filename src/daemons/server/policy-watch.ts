import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage } from '../../util/errors.js';
import type { Logger } from '../../util/logger.js';

const LOOK_EVERY_MS = 2000;

export interface PolicyWatchDeps {
  dirs: readonly string[];
  load(): Promise<void>;
  /** The files on disk cannot be put in force; those before stay. */
  failed(message: string): void;
  log: Logger;
}

/**
 * Puts changed policy files in force without a restart. Files are compared by name, time and size: every editor's and
 * every package manager's way of saving is seen, on every file system. A bad file changes nothing and is told once.
 */
export function watchPolicies(deps: PolicyWatchDeps): { check(): Promise<void>; close(): void } {
  let known: string | undefined;
  let running: Promise<void> = Promise.resolve();

  async function fingerprint(): Promise<string> {
    const parts: string[] = [];
    for (const dir of deps.dirs) {
      for (const name of (await readdir(dir).catch(() => [])).filter((n) => /\.ya?ml$/.test(n)).sort()) {
        const info = await stat(join(dir, name)).catch(() => undefined);
        if (info) parts.push(`${dir}/${name} ${info.mtimeMs} ${info.size}`);
      }
    }
    return parts.join('\n');
  }

  async function look(): Promise<void> {
    try {
      const now = await fingerprint();
      const isFirst = known === undefined;
      if (now === known) return;
      known = now;
      if (isFirst) return;
      await deps.load();
      deps.log.info({ dirs: deps.dirs }, 'Changed policy files are in force.');
    } catch (error) {
      deps.log.error({ error: errorMessage(error) }, 'Changed policy files were refused; those before stay in force.');
      deps.failed(errorMessage(error));
    }
  }

  /** One after the other. */
  function check(): Promise<void> {
    running = running.then(look);
    return running;
  }

  void check();
  const timer = setInterval(() => void check(), LOOK_EVERY_MS);
  timer.unref();
  return { check, close: () => clearInterval(timer) };
}
