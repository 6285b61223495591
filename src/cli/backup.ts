import { chmod, chown, copyFile, cp, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { existsSync, openSync, closeSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { loadConfig, type LoadedConfig } from '../config/index.js';
import { databaseBackup } from '../store/index.js';
import { AppError, errorMessage } from '../util/errors.js';
import { VERSION } from '../util/version.js';
import {
  BACKUP_FORMAT,
  copyData,
  isServerRunning,
  pack,
  PART,
  readManifest,
  unpack,
  writeManifest,
} from './backup/archive.js';

interface BackupOptions {
  config?: string;
  captures?: boolean;
}
interface RestoreOptions {
  config?: string;
  withConfig?: boolean;
  check?: boolean;
}

/** `portcullis backup FILE` and `portcullis restore FILE`. */
export function register(program: Command): void {
  program
    .command('backup')
    .description(
      'write configuration, database, policies, rules, models, keys and spools to one archive, while the server runs',
    )
    .argument('<file>', 'archive to make (.tar.gz); it holds secrets and is readable by its owner only')
    .option('--config <file>', 'configuration file')
    .option('--captures', 'uploaded captures and packets around alerts too')
    .action(backup);
  program
    .command('restore')
    .description('put an archive in the place of the data of this box; the server must not run')
    .argument('<file>', 'archive made by portcullis backup')
    .option('--config <file>', 'configuration file: where the data goes')
    .option('--with-config', 'put the configuration file of the archive in place too')
    .option('--check', 'only check the archive')
    .action(restore);
}

/** @throws AppError backup.exists, backup.archive, store.* */
async function backup(file: string, options: BackupOptions): Promise<void> {
  const config = await loadConfig(options.config);
  const archive = resolve(file);
  reserve(archive);
  const work = await mkdtemp(join(dirname(archive), '.portcullis-backup-'));
  try {
    const { copyDatabase } = await databaseBackup();
    const database = await copyDatabase(config.store, join(work, PART.DATABASE));
    if (existsSync(config.data_dir)) await copyData(config, join(work, PART.DATA), options.captures === true);
    if (config.file !== undefined) {
      await mkdir(join(work, PART.CONFIG));
      await copyFile(config.file, join(work, PART.CONFIG, 'portcullis.yaml'));
    }
    const about = {
      format: BACKUP_FORMAT,
      version: VERSION,
      createdMs: Date.now(),
      name: config.name,
      database,
      hasConfig: config.file !== undefined,
    };
    const { files } = await writeManifest(work, about);
    const bytes = await pack(work, `${archive}.new`);
    await chmod(`${archive}.new`, 0o600);
    await rename(`${archive}.new`, archive);
    process.stdout.write(
      `${archive}: ${Object.keys(files).length} files, ${Math.ceil(bytes / 1024)} KiB. It holds secrets: keep it safe.\n`,
    );
  } catch (error) {
    await rm(archive, { force: true });
    throw error;
  } finally {
    await rm(`${archive}.new`, { force: true });
    await rm(work, { recursive: true, force: true });
  }
}

/** Takes the name, so that two backups at once do not write one file. @throws AppError backup.exists */
function reserve(archive: string): void {
  try {
    closeSync(openSync(archive, 'wx', 0o600));
  } catch (error) {
    const exists = (error as NodeJS.ErrnoException).code === 'EEXIST';
    throw new AppError({
      kind: 'user',
      code: exists ? 'backup.exists' : 'backup.archive',
      message: exists ? `${archive} is there already.` : `${archive} cannot be written: ${(error as Error).message}`,
      fix: 'Name another file.',
    });
  }
}

/** @throws AppError backup.damaged, backup.later_version, backup.other_database, backup.running, backup.restore_failed */
async function restore(file: string, options: RestoreOptions): Promise<void> {
  const config = await loadConfig(options.config);
  const parent = dirname(config.data_dir);
  await mkdir(parent, { recursive: true });
  const work = await mkdtemp(join(parent, '.portcullis-restore-'));
  try {
    await unpack(resolve(file), work);
    const manifest = await readManifest(work);
    const { checkRestorable, restoreDatabase } = await databaseBackup();
    checkRestorable(config.store, manifest.database);
    const made = new Date(manifest.createdMs).toISOString();
    if (options.check) {
      process.stdout.write(`${file} is whole: ${manifest.name}, version ${manifest.version}, made ${made}.\n`);
      return;
    }
    if (await isServerRunning(config)) {
      const fix = 'systemctl stop portcullis.target, then restore. Blocks stay in the kernel meanwhile.';
      throw new AppError({ kind: 'user', code: 'backup.running', message: 'The server is running.', fix });
    }
    const aside = await putAside(config);
    try {
      await cp(join(work, PART.DATA), config.data_dir, { recursive: true, preserveTimestamps: true });
      await chmod(config.data_dir, aside === undefined ? 0o750 : (await stat(aside)).mode);
      await restoreDatabase(config.store, manifest.database, join(work, PART.DATABASE));
      await handOver(config, aside);
    } catch (error) {
      await rm(config.data_dir, { recursive: true, force: true });
      if (aside !== undefined) await rename(aside, config.data_dir);
      throw restoreFailed(config, error);
    }
    if (options.withConfig && manifest.hasConfig && config.file !== undefined) {
      await copyFile(config.file, `${config.file}.before-restore`);
      await copyFile(join(work, PART.CONFIG, 'portcullis.yaml'), config.file);
    }
    process.stdout.write(`Restored ${manifest.name} as it was at ${made}.\n`);
    if (aside !== undefined) process.stdout.write(`What was here before is in ${aside}; remove it when all is well.\n`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function restoreFailed(config: LoadedConfig, cause: unknown): AppError {
  const rest = config.store.kind === 'mysql' ? ' The database may be empty or in part: restore again.' : '';
  return new AppError({
    kind: 'operational',
    code: 'backup.restore_failed',
    message: `The restore failed: ${errorMessage(cause)}. The data folder is as it was.${rest}`,
    fix: 'Check the free space and the rights of data_dir and of the database, then restore again.',
    cause,
  });
}

/** The data that is here now is kept beside it. @returns where, or undefined when there was none. */
async function putAside(config: LoadedConfig): Promise<string | undefined> {
  if (!existsSync(config.data_dir) || (await readdir(config.data_dir)).length === 0) return undefined;
  const stamp = new Date().toISOString().replaceAll(/[:.]/g, '-');
  const aside = join(dirname(config.data_dir), `${basename(config.data_dir)}.before-restore-${stamp}`);
  await rename(config.data_dir, aside);
  return aside;
}

/** Root restores; the data belongs to whom it belonged before. */
async function handOver(config: LoadedConfig, aside: string | undefined): Promise<void> {
  if (process.getuid?.() !== 0 || aside === undefined) return;
  const { uid, gid } = await stat(aside);
  const all = await readdir(config.data_dir, { recursive: true });
  for (const name of ['', ...all]) await chown(join(config.data_dir, name), uid, gid);
}
