import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { z } from 'zod';
import type { ModelCard } from '../../contract/model-card.js';
import { AppError } from '../../util/errors.js';
import { openBundle } from '../bundle.js';

/**
 * Models by name in one folder. `NAME` is a bundle folder as shipped, or, once a model was promoted, a link to
 * `.versions/NAME/ID`; swapping the link is one rename, so a reader sees the old bundle or the new one and never half.
 */
export interface ModelRegistry {
  list(): RegisteredModel[];
  show(name: string): { card: ModelCard; history: readonly HistoryEntry[]; dir: string };
  /** Checks the bundle, copies it in and makes it current; keeps the last `keep` versions. */
  promote(bundleDir: string, options: PromoteOptions): HistoryEntry;
  /** Copies a model in that is used from elsewhere (as shipped), so that there is something to return to. */
  adopt(bundleDir: string, options: { name: string; by: string; nowMs: number }): void;
  /** Ids of the versions kept, the current one included. */
  versions(name: string): { id: string; dir: string }[];
  /** Makes the version before the current one current again. */
  rollback(name: string, options: { by: string; reason: string; nowMs: number }): HistoryEntry;
}

export interface PromoteOptions {
  /** The name in the bundle's card unless given. */
  name?: string | undefined;
  by: string;
  reason: string;
  nowMs: number;
  keep?: number;
}

const historySchema = z.array(
  z.strictObject({
    atMs: z.number(),
    action: z.enum(['promote', 'rollback']),
    id: z.string(),
    previous: z.string().optional(),
    by: z.string(),
    reason: z.string(),
  }),
);
export type HistoryEntry = z.infer<typeof historySchema>[number];

export interface RegisteredModel {
  name: string;
  dir: string;
  /** Undefined when the bundle is broken; `problem` says how. */
  card?: ModelCard;
  problem?: string;
  versions: number;
}

const VERSIONS = '.versions';
const DEFAULT_KEEP = 5;

export function createRegistry(root: string): ModelRegistry {
  const nameOk = (name: string): string => {
    if (/^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$/.test(name)) return name;
    throw new AppError({
      kind: 'user',
      code: 'model.name',
      message: `"${name}" is not a model name.`,
      fix: 'Use letters, digits, dot, dash and underscore; at most 64 characters.',
    });
  };
  const current = (name: string): string => join(root, nameOk(name));
  const versionsOf = (name: string): string => join(root, VERSIONS, nameOk(name));
  const readHistory = (name: string): HistoryEntry[] => {
    const path = join(versionsOf(name), 'history.json');
    return existsSync(path) ? historySchema.parse(JSON.parse(readFileSync(path, 'utf8'))) : [];
  };
  const currentId = (name: string): string | undefined =>
    existsSync(current(name)) ? openBundle(current(name)).card.id : undefined;

  function record(name: string, entry: HistoryEntry): HistoryEntry {
    const path = join(versionsOf(name), 'history.json');
    writeFileSync(`${path}.new`, `${JSON.stringify([...readHistory(name), entry], null, 1)}\n`, { flush: true });
    renameSync(`${path}.new`, path);
    return entry;
  }

  /** Moves a shipped folder among the versions, then swaps the link. */
  function point(name: string, id: string): void {
    const link = current(name);
    const info = lstatSync(link, { throwIfNoEntry: false });
    if (info?.isDirectory()) {
      const shipped = join(versionsOf(name), openBundle(link).card.id);
      if (existsSync(shipped)) rmSync(link, { recursive: true });
      else renameSync(link, shipped);
    }
    const next = `${link}.next`;
    rmSync(next, { force: true });
    symlinkSync(relative(root, join(versionsOf(name), id)), next);
    renameSync(next, link);
  }

  function prune(name: string, keep: number): void {
    const used = new Set([currentId(name)]);
    const order = readHistory(name)
      .reverse()
      .flatMap((h) => (h.previous === undefined ? [h.id] : [h.id, h.previous]));
    for (const id of order) if (used.size < keep) used.add(id);
    for (const id of readdirSync(versionsOf(name))) {
      if (/^[0-9a-f]{16}$/.test(id) && !used.has(id)) rmSync(join(versionsOf(name), id), { recursive: true });
    }
  }

  return {
    list() {
      if (!existsSync(root)) return [];
      const names = readdirSync(root).filter((n) => !n.startsWith('.') && existsSync(join(root, n, 'card.json')));
      return names.sort().map((name) => {
        const dir = join(root, name);
        const folder = join(root, VERSIONS, name);
        const versions = existsSync(folder) ? readdirSync(folder).filter((id) => /^[0-9a-f]{16}$/.test(id)).length : 1;
        try {
          return { name, dir, card: openBundle(dir).card, versions };
        } catch (error) {
          return { name, dir, problem: error instanceof Error ? error.message : String(error), versions };
        }
      });
    },
    show(name) {
      if (!existsSync(current(name))) throw notThere(root, name);
      return { card: openBundle(current(name)).card, history: readHistory(name), dir: current(name) };
    },
    promote(bundleDir, options) {
      const { card } = openBundle(bundleDir);
      const name = nameOk(options.name ?? card.name);
      const previous = currentId(name);
      const target = join(versionsOf(name), card.id);
      if (!existsSync(target) && resolve(bundleDir) !== resolve(current(name))) {
        mkdirSync(versionsOf(name), { recursive: true });
        rmSync(`${target}.new`, { recursive: true, force: true });
        cpSync(bundleDir, `${target}.new`, { recursive: true, dereference: true });
        openBundle(`${target}.new`);
        renameSync(`${target}.new`, target);
      }
      mkdirSync(versionsOf(name), { recursive: true });
      point(name, card.id);
      const entry = record(name, {
        atMs: options.nowMs,
        action: 'promote',
        id: card.id,
        ...(previous === undefined ? {} : { previous }),
        by: options.by,
        reason: options.reason,
      });
      prune(name, options.keep ?? DEFAULT_KEEP);
      return entry;
    },
    adopt(bundleDir, { name, by, nowMs }) {
      if (existsSync(current(name))) return;
      this.promote(bundleDir, { name, by, reason: 'as shipped', nowMs });
    },
    versions(name) {
      const folder = versionsOf(name);
      if (!existsSync(folder)) return [];
      const ids = readdirSync(folder).filter((id) => /^[0-9a-f]{16}$/.test(id));
      return ids.map((id) => ({ id, dir: join(folder, id) }));
    },
    rollback(name, options) {
      const now = currentId(name);
      if (now === undefined) throw notThere(root, name);
      const last = readHistory(name).findLast((h) => h.id === now && h.action === 'promote');
      const target = last?.previous;
      if (target === undefined || !existsSync(join(versionsOf(name), target))) {
        throw new AppError({
          kind: 'user',
          code: 'model.no_previous',
          message: `There is no version of ${name} before ${now}.`,
          fix: 'Train a model and promote it with `portcullis model promote DIR`.',
        });
      }
      openBundle(join(versionsOf(name), target));
      point(name, target);
      return record(name, {
        atMs: options.nowMs,
        action: 'rollback',
        id: target,
        previous: now,
        by: options.by,
        reason: options.reason,
      });
    },
  };
}

function notThere(root: string, name: string): AppError {
  return new AppError({
    kind: 'user',
    code: 'model.not_found',
    message: `There is no model ${name} in ${root}.`,
    fix: 'See `portcullis model list`.',
  });
}
