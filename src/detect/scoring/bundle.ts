import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkBundle, featureSchemaText, type ModelCard } from '../../contract/model-card.js';
import type { FeatureSchema } from '../../domain/feature.js';
import { errorMessage } from '../../util/errors.js';
import { bystanderCheck, type BystanderCheck } from './bystander.js';
import { parseTreeFile, type TreeExplainer } from './tree-explainer.js';

export interface LoadedBundle {
  dir: string;
  card: ModelCard;
  onnx: Uint8Array;
  explainer: TreeExplainer | undefined;
  isBystander: BystanderCheck | undefined;
}

export type LoadResult = { ok: true; bundle: LoadedBundle } | { ok: false; reason: string };

function sha256(data: Uint8Array | string): string {
  return createHash('sha256').update(data).digest('hex');
}

/** Reads a bundle for scoring; refuses what is broken or was trained on other features than the sensor makes. */
export function loadBundle(dir: string, schemas: readonly FeatureSchema[]): LoadResult {
  const read = (name: string): Buffer => readFileSync(join(dir, name));
  const check = checkBundle(read, sha256);
  if (!check.ok) return check;
  const { card } = check;
  const live = schemas.find((s) => s.name === card.schema.name);
  if (!live) return { ok: false, reason: `no feature schema "${card.schema.name}" is computed here` };
  if (sha256(featureSchemaText(live)) !== card.schema.hash) {
    return {
      ok: false,
      reason: `it was trained on feature schema ${card.schema.name} v${card.schema.version} with other columns than v${live.version} has here`,
    };
  }
  try {
    const explainer = card.files['trees.bin'] ? parseTreeFile(read('trees.bin')) : undefined;
    if (explainer && explainer.features !== card.schema.features.length) {
      return { ok: false, reason: 'trees.bin has another number of features than card.json' };
    }
    const onnx = read('model.onnx');
    return { ok: true, bundle: { dir, card, onnx, explainer, isBystander: bystanderCheck(card) } };
  } catch (error) {
    return { ok: false, reason: errorMessage(error) };
  }
}
