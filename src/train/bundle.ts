import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { checkBundle, type ModelCard } from '../contract/model-card.js';
import { AppError, errorCode, errorMessage } from '../util/errors.js';

export function sha256(data: Uint8Array | string): string {
  return createHash('sha256').update(data).digest('hex');
}

/**
 * Writes a bundle so that the folder at `dir` is always whole: everything goes into a sibling folder first, is
 * flushed to disk, and takes the name last. A run that is killed or finds the disk full leaves `dir` as it was.
 */
export function writeBundle(dir: string, files: ReadonlyMap<string, Uint8Array>): void {
  const target = resolve(dir);
  const temporary = join(dirname(target), `.${basename(target)}.${process.pid}.new`);
  const previous = join(dirname(target), `.${basename(target)}.${process.pid}.old`);
  try {
    refuseStrangers(target);
    // Asked to make a folder in one that cannot hold any, such as /proc, Node 20 never returns.
    if (!existsSync(dirname(target))) mkdirSync(dirname(target), { recursive: true });
    rmSync(temporary, { recursive: true, force: true });
    mkdirSync(temporary);
    for (const [name, data] of files) writeSynced(join(temporary, name), data);
    syncFolder(temporary);
    if (existsSync(target)) renameSync(target, previous);
    try {
      renameSync(temporary, target);
    } catch (error) {
      if (existsSync(previous)) renameSync(previous, target);
      throw error;
    }
    syncFolder(dirname(target));
    rmSync(previous, { recursive: true, force: true });
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    if (error instanceof AppError) throw error;
    const isFull = errorCode(error) === 'ENOSPC' || errorCode(error) === 'EDQUOT';
    throw new AppError({
      kind: 'operational',
      code: isFull ? 'model.disk_full' : 'model.write_failed',
      message: `The model could not be written to ${dir}: ${errorMessage(error)}. Nothing was replaced.`,
      fix: isFull ? 'Free space on this file system and train again.' : 'Check the folder and its rights.',
      cause: error,
    });
  }
}

/** A folder that holds something else than a model is never replaced. @throws AppError model.not_a_bundle */
export function refuseStrangers(dir: string): void {
  const target = resolve(dir);
  if (!existsSync(target) || existsSync(join(target, 'card.json'))) return;
  throw new AppError({
    kind: 'user',
    code: 'model.not_a_bundle',
    message: `${target} exists and is not a model folder; it was left alone.`,
    fix: 'Give --out a new folder, or one that holds a model to replace.',
  });
}

function writeSynced(path: string, data: Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  const fd = openSync(path, 'w', 0o644);
  try {
    for (let at = 0; at < data.length;) at += writeSync(fd, data, at);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function syncFolder(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

export interface Bundle {
  dir: string;
  card: ModelCard;
  onnx: Uint8Array;
}

/** Reads and verifies a bundle: card valid, files as the card says. @throws AppError with the reason. */
export function openBundle(dir: string): Bundle {
  const check = checkBundle((name) => readFileSync(join(dir, name)), sha256);
  if (check.ok) return { dir, card: check.card, onnx: readFileSync(join(dir, 'model.onnx')) };
  const isThere = existsSync(join(dir, 'card.json'));
  throw new AppError({
    kind: 'user',
    code: isThere ? 'model.mismatch' : 'model.not_found',
    message: isThere
      ? `The model in ${dir} is not whole: ${check.reason}.`
      : `${dir} is not a model folder: it has no card.json.`,
    fix: isThere
      ? 'Train it again or restore it from a backup; `portcullis model rollback` returns to the last one.'
      : 'Give the folder that `portcullis train --out` made.',
  });
}
