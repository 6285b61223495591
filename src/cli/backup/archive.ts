import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { z } from 'zod';
import { busSocketPath } from '../../bus/index.js';
import type { LoadedConfig } from '../../config/index.js';
import { AppError, errorMessage } from '../../util/errors.js';

const run = promisify(execFile);

export const BACKUP_FORMAT = 1;
const MANIFEST = 'manifest.json';

/** What lies in an archive, and how to tell that all of it is there. */
export const manifestSchema = z.object({
  format: z.number(),
  /** Version of Portcullis that made it. */
  version: z.string(),
  createdMs: z.number(),
  /** Name of the box. */
  name: z.string(),
  database: z.object({ kind: z.enum(['sqlite', 'mysql']), migrations: z.array(z.string()) }),
  hasConfig: z.boolean(),
  /** SHA-256 of every other file, by its path in the archive. */
  files: z.record(z.string(), z.string()),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** Folders of the archive. */
export const PART = { DATABASE: 'database', DATA: 'data', CONFIG: 'config' } as const;

/** Below data_dir: made anew at every start, or large and only of use to the person who uploaded it. */
const LEFT_OUT = new Set(['backups', 'run', 'training', 'setup.json.tmp']);
const CAPTURES = new Set(['lab', 'evidence']);

/** Copies data_dir without the database. Files of the spool may grow meanwhile; their ends are checked when they are read. */
export async function copyData(config: LoadedConfig, to: string, withCaptures: boolean): Promise<void> {
  const databaseFiles = ['', '-wal', '-shm'].map((suffix) => config.store.path + suffix);
  await mkdir(to, { recursive: true });
  // Entry by entry: the copy itself may lie below data_dir, in what is left out.
  for (const top of await readdir(config.data_dir)) {
    if (LEFT_OUT.has(top) || (!withCaptures && CAPTURES.has(top))) continue;
    await cp(join(config.data_dir, top), join(to, top), {
      recursive: true,
      preserveTimestamps: true,
      filter: (source) => !databaseFiles.includes(source) && source !== config.runtime_dir,
    });
  }
}

export async function writeManifest(folder: string, about: Omit<Manifest, 'files'>): Promise<Manifest> {
  const files: Manifest['files'] = {};
  for (const file of await filesBelow(folder)) files[file] = await sha256(join(folder, file));
  const manifest = { ...about, files };
  await writeFile(join(folder, MANIFEST), JSON.stringify(manifest, null, 1), { mode: 0o600 });
  return manifest;
}

/** Reads what was unpacked, and checks every file. @throws AppError backup.damaged, backup.later_version */
export async function readManifest(folder: string): Promise<Manifest> {
  const parsed = manifestSchema.safeParse(
    await readFile(join(folder, MANIFEST), 'utf8').then(
      (text) => JSON.parse(text) as unknown,
      () => undefined,
    ),
  );
  if (!parsed.success) throw damaged('it has no list of its files');
  const manifest = parsed.data;
  if (manifest.format > BACKUP_FORMAT) {
    const message = `The backup is of a later version of Portcullis (${manifest.version}).`;
    throw new AppError({ kind: 'user', code: 'backup.later_version', message, fix: 'Install that version first.' });
  }
  const found = (await filesBelow(folder)).filter((file) => file !== MANIFEST);
  const unknown = found.find((file) => !Object.hasOwn(manifest.files, file));
  if (unknown !== undefined) throw damaged(`${unknown} does not belong to it`);
  for (const [file, wanted] of Object.entries(manifest.files)) {
    if (!found.includes(file)) throw damaged(`${file} is missing`);
    if ((await sha256(join(folder, file))) !== wanted) throw damaged(`${file} was changed`);
  }
  return manifest;
}

function damaged(why: string): AppError {
  const message = `The backup cannot be used: ${why}. Nothing was changed.`;
  return new AppError({ kind: 'user', code: 'backup.damaged', message, fix: 'Use another backup.' });
}

/** @throws AppError backup.archive */
export async function pack(folder: string, archive: string): Promise<number> {
  await tar(['-czf', archive, '-C', folder, '.']);
  return (await stat(archive)).size;
}

/** @throws AppError backup.damaged */
export async function unpack(archive: string, folder: string): Promise<void> {
  if (!existsSync(archive)) throw damaged(`there is no file ${archive}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    await run('tar', ['-xzf', archive, '-C', folder, '--no-same-owner', '--delay-directory-restore']);
  } catch (error) {
    throw damaged(lastLine(error));
  }
}

async function tar(args: string[]): Promise<void> {
  try {
    await run('tar', args);
  } catch (error) {
    const message = `The archive cannot be written: ${lastLine(error)}.`;
    throw new AppError({
      kind: 'operational',
      code: 'backup.archive',
      message,
      fix: 'Free space, or name another path.',
    });
  }
}

function lastLine(error: unknown): string {
  const stderr = (error as { stderr?: string }).stderr ?? '';
  return stderr.trim().split('\n').at(-1) ?? errorMessage(error);
}

/** True while a server uses the folder. */
export function isServerRunning(config: LoadedConfig): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(busSocketPath(config.runtime_dir, 'sensor'));
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => {
      resolve(false);
    });
  });
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((e) => !e.isDirectory())
    .map((e) => relative(folder, join(e.parentPath, e.name)))
    .sort();
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
