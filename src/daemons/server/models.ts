import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { LoadedConfig } from '../../config/index.js';
import type { ModelInfo } from '../../contract/http.js';
import { modelCardSchema } from '../../contract/model-card.js';
import { modelFolders } from '../detectors.js';

/** The models that score live traffic, from their cards. Cards that cannot be read are left out; the sensor reports those. */
export async function listModels(config: LoadedConfig): Promise<ModelInfo[]> {
  const models: ModelInfo[] = [];
  for (const dir of modelFolders(config.detect.models.models)) {
    const path = join(dir, 'card.json');
    if (!existsSync(path)) continue;
    const parsed = modelCardSchema.safeParse(JSON.parse(await readFile(path, 'utf8')));
    if (!parsed.success) continue;
    const card = parsed.data;
    const { confusion: _confusion, ...figures } = card.metrics;
    models.push({
      name: basename(dir),
      version: card.id,
      state: 'champion',
      kind: card.tier,
      algorithm: card.algorithm,
      featureSchema: `${card.schema.name} v${card.schema.version}`,
      classes: card.classes,
      threshold: card.threshold,
      trainedMs: card.trainedMs,
      trainingRows: card.data.trainRows,
      sha256: card.files['model.onnx']?.sha256 ?? '',
      metrics: Object.fromEntries(
        Object.entries(figures).filter((e): e is [string, number] => typeof e[1] === 'number'),
      ),
    });
  }
  return models;
}
