import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelCard } from '../../src/contract/model-card.js';
import { sealModel } from '../../src/contract/model-seal.js';
import { sha256 } from '../../src/train/bundle.js';

/** Changes a bundle as its trainer could have made it: card and model agree again. */
export function reseal(dir: string, change: { card?: Partial<ModelCard>; onnx?: Uint8Array }): void {
  const [cardPath, onnxPath] = [join(dir, 'card.json'), join(dir, 'model.onnx')];
  const card = { ...(JSON.parse(readFileSync(cardPath, 'utf8')) as ModelCard), ...change.card };
  // A second seal behind the first is the one that counts.
  const onnx = sealModel(change.onnx ?? readFileSync(onnxPath), card, sha256);
  const files = { ...card.files, 'model.onnx': { sha256: sha256(onnx), bytes: onnx.length } };
  writeFileSync(onnxPath, onnx);
  writeFileSync(cardPath, JSON.stringify({ ...card, files, id: sha256(onnx).slice(0, 16) }));
}
