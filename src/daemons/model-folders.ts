import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { installRoot } from '../config/index.js';

/** Below the data folder: models that took the place of shipped or configured ones, by name. */
export const MODELS_DIR = 'models';
/** Below that: challengers that score live traffic without reporting, by name of their champion. */
export const CHALLENGERS_DIR = '.challengers';

/** A model that scores live traffic. */
export interface ModelFolder {
  name: string;
  dir: string;
  /** Scores beside it and reports nothing. */
  challenger?: string;
  /** A promoted model that does not score: it was trained on other features than the one that came with an update. */
  outdated?: string;
}

/**
 * The configured models (bundles or folders of them), else the shipped ones of a live feature schema. One of the same name that was promoted
 * on this box (below `dataDir`) takes its place, unless an update brought features that it does not know.
 */
export function modelFolders(configured: readonly string[], dataDir?: string): ModelFolder[] {
  const dirs = configured.length > 0 ? configured.flatMap(bundlesOf) : bundlesIn(join(installRoot(), 'models'));
  return dirs.map((given) => {
    const name = basename(given);
    const promoted = dataDir === undefined ? undefined : join(dataDir, MODELS_DIR, name);
    const challenger = dataDir === undefined ? undefined : join(dataDir, MODELS_DIR, CHALLENGERS_DIR, name);
    const isBundle = (dir: string | undefined): dir is string =>
      dir !== undefined && existsSync(join(dir, 'card.json'));
    const isOutdated = isBundle(promoted) && schemaHashOf(promoted) !== (schemaHashOf(given) ?? schemaHashOf(promoted));
    return {
      name,
      dir: isBundle(promoted) && !isOutdated ? promoted : given,
      ...(isBundle(challenger) ? { challenger } : {}),
      ...(isOutdated ? { outdated: promoted } : {}),
    };
  });
}

/** A bundle itself, those of a folder of bundles, or what was named, for a message about it. */
function bundlesOf(given: string): string[] {
  const inside = existsSync(join(given, 'card.json')) ? [] : bundlesIn(given);
  return inside.length > 0 ? inside : [given];
}

/** Those that score live traffic by default. */
function bundlesIn(root: string): string[] {
  if (!statSync(root, { throwIfNoEntry: false })?.isDirectory()) return [];
  return readdirSync(root)
    .map((name) => join(root, name))
    .filter((dir) => schemaOf(dir) !== undefined && isDefault(dir));
}

/** Name of the feature schema of a bundle; undefined when there is none to read. */
export function schemaOf(dir: string): string | undefined {
  return schemaPart(dir, 'name');
}

/** Hash of its columns; likewise. */
function schemaHashOf(dir: string): string | undefined {
  return schemaPart(dir, 'hash');
}

function schemaPart(dir: string, part: 'name' | 'hash'): string | undefined {
  const value = (readCard(dir) as { schema?: { name?: unknown; hash?: unknown } } | undefined)?.schema?.[part];
  return typeof value === 'string' ? value : undefined;
}

/** Shipped for choice: their cards say why they do not score by default. */
function isDefault(dir: string): boolean {
  return (readCard(dir) as { liveByDefault?: unknown } | undefined)?.liveByDefault !== false;
}

function readCard(dir: string): unknown {
  try {
    return JSON.parse(readFileSync(join(dir, 'card.json'), 'utf8'));
  } catch {
    return undefined;
  }
}
