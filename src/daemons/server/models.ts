import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import {
  modelCurvesSchema,
  type ModelDetail,
  type ModelInfo,
  type ModelVersion,
  type ShadowReport,
} from '../../contract/http.js';
import { isMeasured, type FigureName, type ModelCard } from '../../contract/model-card.js';
import { createRegistry, openBundle } from '../../train/index.js';
import { AppError } from '../../util/errors.js';
import { CHALLENGERS_DIR, modelFolders, MODELS_DIR, type ModelFolder } from '../model-folders.js';

export interface ModelBookDeps {
  /** Model folders of the configuration; empty: the shipped ones. */
  configured: readonly string[];
  dataDir: string;
  keepVersions: number;
  /** The sensors load their models again. */
  reload(): void;
  /** What the challenger of a model has shown so far. */
  shadowOf(name: string): ShadowReport | null;
  /** A version became the champion. */
  promoted(name: string, version: string, by: string, reason: string): void;
}

/** The models that score live traffic: champions, challengers, and versions to return to. */
export interface ModelBook {
  folders(): ModelFolder[];
  /** @throws AppError model.not_found */
  champion(name: string): { dir: string; card: ModelCard };
  list(): ModelInfo[];
  get(name: string): ModelDetail;
  version(name: string, version: string): ModelVersion;
  /** Folder and card of a version that is kept. */
  find(name: string, version: string): { dir: string; card: ModelCard } | undefined;
  /** A challenger or an archived version becomes the champion. */
  promote(name: string, version: string, by: string, reason: string): ModelDetail;
  rollback(name: string, by: string, reason: string): ModelDetail;
  /** Lets a bundle score beside the champion, or nothing any more. */
  setChallenger(name: string, bundleDir: string | undefined): void;
}

interface Version {
  dir: string;
  card: ModelCard;
  state: ModelInfo['state'];
}

export function createModelBook(deps: ModelBookDeps): ModelBook {
  const root = join(deps.dataDir, MODELS_DIR);
  const registry = createRegistry(root);
  const folders = (): ModelFolder[] => modelFolders(deps.configured, deps.dataDir);

  function folderOf(name: string): ModelFolder {
    const found = folders().find((f) => f.name === name);
    if (found) return found;
    throw new AppError({
      kind: 'user',
      code: 'model.not_found',
      message: `No model "${name}" scores live traffic.`,
      fix: `There are: ${folders()
        .map((f) => f.name)
        .join(', ')}.`,
    });
  }

  function versionsOf(folder: ModelFolder): Version[] {
    const champion: Version = { dir: folder.dir, card: cardOf(folder.dir), state: 'champion' };
    const list = [champion];
    const add = (dir: string, state: Version['state']): void => {
      try {
        const card = cardOf(dir);
        if (!list.some((v) => v.card.id === card.id)) list.push({ dir, card, state });
      } catch {
        // A broken version cannot be promoted, so it is none.
      }
    };
    if (folder.challenger !== undefined) add(folder.challenger, 'challenger');
    const kept = registry.versions(folder.name).map(({ dir }) => dir);
    for (const dir of kept) add(dir, 'archived');
    const [challengers, archived] = (['challenger', 'archived'] as const).map((s) => list.filter((v) => v.state === s));
    return [champion, ...challengers!, ...archived!.sort((a, b) => b.card.trainedMs - a.card.trainedMs)];
  }

  const isRegistered = (name: string): boolean => existsSync(join(root, name));

  function setChallenger(name: string, bundleDir: string | undefined): void {
    const link = join(root, CHALLENGERS_DIR, name);
    if (bundleDir === undefined) rmSync(link, { recursive: true, force: true });
    else {
      mkdirSync(dirname(link), { recursive: true });
      rmSync(`${link}.next`, { force: true });
      symlinkSync(bundleDir, `${link}.next`);
      if (lstatSync(link, { throwIfNoEntry: false })?.isDirectory() === true) rmSync(link, { recursive: true });
      renameSync(`${link}.next`, link);
    }
    deps.reload();
  }

  function detail(name: string): ModelDetail {
    const folder = folderOf(name);
    const versions = versionsOf(folder);
    const history = isRegistered(name) ? registry.show(name).history : [];
    const current = versions[0]!.card.id;
    const previous = history.findLast((h) => h.id === current && h.action === 'promote')?.previous;
    return {
      card: versions[0]!.card,
      versions: versions.map(toInfo),
      history: history
        .map(({ id, previous: before, ...h }) => ({ ...h, version: id, previous: before ?? null }))
        .reverse(),
      shadow: folder.challenger === undefined ? null : deps.shadowOf(name),
      canRollBack: previous !== undefined && registry.versions(name).some((v) => v.id === previous),
    };
  }

  return {
    folders,
    champion(name) {
      const { dir } = folderOf(name);
      return { dir, card: cardOf(dir) };
    },
    list() {
      return folders().flatMap((folder) => {
        try {
          return versionsOf(folder).map(toInfo);
        } catch {
          // The sensor reports why it refuses it.
          return [];
        }
      });
    },
    get: detail,
    version(name, version) {
      const found = versionsOf(folderOf(name)).find((v) => v.card.id === version);
      if (!found) throw noVersion(name, version);
      return { model: toInfo(found), card: found.card, curves: readCurves(found.dir) };
    },
    find(name, version) {
      const folder = folders().find((f) => f.name === name);
      return folder && versionsOf(folder).find((v) => v.card.id === version);
    },
    promote(name, version, by, reason) {
      const folder = folderOf(name);
      const found = versionsOf(folder).find((v) => v.card.id === version);
      if (!found) throw noVersion(name, version);
      if (found.state === 'champion') {
        throw new AppError({
          kind: 'user',
          code: 'model.conflict',
          message: `${version} is the champion of ${name} already.`,
        });
      }
      const { schema } = cardOf(folder.dir);
      if (found.card.schema.hash !== schema.hash) {
        throw new AppError({
          kind: 'user',
          code: 'model.conflict',
          message: `${version} of ${name} was trained on feature schema ${found.card.schema.name} v${found.card.schema.version}, the sensors make v${schema.version}.`,
          fix: 'Promote a version that was trained since the update.',
        });
      }
      const nowMs = Date.now();
      registry.adopt(realpathSync(folder.dir), { name, by: 'shipped', nowMs });
      registry.promote(realpathSync(found.dir), { name, by, reason, nowMs, keep: deps.keepVersions });
      if (found.state === 'challenger') setChallenger(name, undefined);
      else deps.reload();
      deps.promoted(name, version, by, reason);
      return detail(name);
    },
    rollback(name, by, reason) {
      folderOf(name);
      if (!isRegistered(name)) {
        throw new AppError({
          kind: 'user',
          code: 'model.no_previous',
          message: `${name} is as shipped; there is nothing to return to.`,
          fix: 'A version can be returned to after a challenger took its place.',
        });
      }
      registry.rollback(name, { by, reason, nowMs: Date.now() });
      deps.reload();
      return detail(name);
    },
    setChallenger,
  };
}

const cards = new Map<string, { state: string; card: ModelCard }>();
const MAX_CARDS = 200;

/** A bundle's hashes are checked once, and again when one of its files changed: the event loop has decisions to make. */
function cardOf(dir: string): ModelCard {
  const path = realpathSync(dir);
  const known = cards.get(path);
  if (known && known.state === stateOf(path, known.card)) return known.card;
  const { card } = openBundle(path);
  if (cards.size >= MAX_CARDS) cards.clear();
  cards.set(path, { state: stateOf(path, card), card });
  return card;
}

function stateOf(dir: string, card: ModelCard): string {
  const states = ['card.json', ...Object.keys(card.files)].map((name) => {
    const info = statSync(join(dir, name), { throwIfNoEntry: false });
    return info ? `${info.mtimeMs} ${info.size} ${info.ino}` : '';
  });
  return states.join('|');
}

function noVersion(name: string, version: string): AppError {
  return new AppError({
    kind: 'user',
    code: 'model.not_found',
    message: `There is no version ${version} of ${name}.`,
    fix: 'GET /api/v1/models lists the versions that are kept.',
  });
}

function readCurves(dir: string): ModelVersion['curves'] {
  const path = join(dir, 'curves.json');
  if (!existsSync(path)) return null;
  return modelCurvesSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
}

function toInfo({ card, state }: Version): ModelInfo {
  const figures = Object.entries(card.metrics).filter(
    (e): e is [FigureName, number] => typeof e[1] === 'number' && isMeasured(card.metrics, e[0] as FigureName),
  );
  return {
    name: card.name,
    version: card.id,
    state,
    kind: card.tier,
    algorithm: card.algorithm,
    featureSchema: `${card.schema.name} v${card.schema.version}`,
    classes: card.classes,
    threshold: card.threshold,
    falsePositiveBudget: card.falsePositiveBudget,
    trainedMs: card.trainedMs,
    trainingRows: card.data.trainRows,
    sha256: card.files['model.onnx']?.sha256 ?? '',
    metrics: Object.fromEntries(figures),
  };
}
