import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { BackupControl } from '../../api/index.js';
import { BACKUP_NAME, type Backup, type Backups } from '../../contract/http.js';
import { AppError, errorMessage } from '../../util/errors.js';
import type { Logger } from '../../util/logger.js';

const run = promisify(execFile);
const isSource = import.meta.url.endsWith('.ts');
const MAIN = fileURLToPath(new URL(`../../cli/main.${isSource ? 'ts' : 'js'}`, import.meta.url));
/** More of them would fill the disk unnoticed. */
const MAX_KEPT = 5;
const TIMEOUT_MS = 3_600_000;

interface BackupDeps {
  dataDir: string;
  /** Name of the box. */
  name: string;
  configFile: string | undefined;
  now(): number;
  log: Logger;
}

/** Backups below data_dir/backups, made by `portcullis backup` in a process of its own. */
export function createBackups({ dataDir, name, configFile, now, log }: BackupDeps): BackupControl {
  const dir = join(dataDir, 'backups');
  const config = configFile === undefined ? [] : ['--config', configFile];
  let runningSinceMs: number | null = null;
  let lastError: string | null = null;
  let checking = false;

  async function kept(): Promise<Backup[]> {
    const names = (await readdir(dir).catch(() => [])).filter((file) => BACKUP_NAME.test(file));
    const all = await Promise.all(
      names.map(async (file) => {
        const { size, mtimeMs } = await stat(join(dir, file));
        return { name: file, bytes: size, createdMs: Math.round(mtimeMs) };
      }),
    );
    // The name is taken before the archive is there.
    return all.filter(({ bytes }) => bytes > 0).sort((a, b) => b.createdMs - a.createdMs);
  }

  async function list(): Promise<Backups> {
    return { items: await kept(), nextCursor: null, runningSinceMs, lastError };
  }

  async function make(captures: boolean): Promise<void> {
    const box = name.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, 60);
    const stamp = new Date(now()).toISOString().slice(0, 19).replaceAll(/[:T]/g, '-');
    const file = join(dir, `portcullis-${box}-${stamp}.tar.gz`);
    const args = [MAIN, 'backup', file, ...config, ...(captures ? ['--captures'] : [])];
    await run(process.execPath, [...process.execArgv, ...args], { timeout: TIMEOUT_MS });
  }

  async function need(file: string): Promise<string> {
    if ((await kept()).some((backup) => backup.name === file)) return join(dir, file);
    throw new AppError({ kind: 'user', code: 'backup.not_found', message: 'There is no such backup on this box.' });
  }

  const busy = (message: string): AppError =>
    new AppError({ kind: 'user', code: 'backup.busy', message, fix: 'Wait for it.' });

  return {
    list,
    async check(name) {
      const file = await need(name);
      if (checking) throw busy('A backup is being checked.');
      checking = true;
      const command = ['portcullis restore', file, ...config].join(' ');
      const restore = ['systemctl stop portcullis.target', command, 'systemctl start portcullis.target'];
      try {
        const args = [...process.execArgv, MAIN, 'restore', file, '--check', ...config];
        const { stdout } = await run(process.execPath, args, { timeout: TIMEOUT_MS });
        return { ok: true, text: stdout.trim(), restore };
      } catch (error) {
        return { ok: false, text: saidBy(error), restore };
      } finally {
        checking = false;
      }
    },
    async start(captures) {
      if (runningSinceMs !== null) {
        throw busy('A backup is being made.');
      }
      runningSinceMs = now();
      try {
        await mkdir(dir, { recursive: true, mode: 0o700 });
        if ((await kept()).length >= MAX_KEPT) {
          const message = `${MAX_KEPT} backups lie on this box already.`;
          throw new AppError({ kind: 'user', code: 'backup.too_many', message, fix: 'Download and remove one.' });
        }
      } catch (error) {
        runningSinceMs = null;
        throw error;
      }
      void make(captures)
        .then(
          () => {
            lastError = null;
          },
          (error: unknown) => {
            lastError = saidBy(error);
            log.error({ err: error }, 'A backup could not be made.');
          },
        )
        .finally(() => (runningSinceMs = null));
      return list();
    },
    async file(file) {
      return { name: file, type: 'application/gzip', body: createReadStream(await need(file)) };
    },
    async remove(file) {
      await rm(await need(file), { force: true });
    },
  };
}

/** What the process that failed wrote about it. */
function saidBy(error: unknown): string {
  const said = (error as { stderr?: string }).stderr ?? '';
  return said.trim().replaceAll(/\s+/g, ' ').slice(0, 500) || errorMessage(error);
}
