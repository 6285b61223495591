import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Explanation } from '../../contract/http.js';
import type { ModelCard } from '../../contract/model-card.js';
import { featureSentence, parseTreeFile, type TreeExplainer, type Windows } from '../../detect/scoring/index.js';
import type { Alert } from '../../domain/alert.js';
import { AppError } from '../../util/errors.js';

/** Explainers kept in memory, by version: an analyst opens alerts of one model after another. */
const MAX_EXPLAINERS = 4;
const explainers = new Map<string, TreeExplainer>();

/** Exact shares of each feature in a tree model's output for the flow behind an alert; a few milliseconds. */
export function explainAlert(
  alert: Alert,
  find: (model: string, version: string) => { dir: string; card: ModelCard } | undefined,
  windows: Windows,
): Explanation {
  const [name] = alert.metadata['model'] ?? [];
  const [version] = alert.metadata['model_id'] ?? [];
  const found = name !== undefined && version !== undefined ? find(name, version) : undefined;
  if (!found || !alert.features || alert.features.values.length !== found.card.schema.features.length) {
    throw new AppError({
      kind: 'user',
      code: 'model.not_found',
      message:
        version === undefined
          ? 'No model had a part in this alert.'
          : `Version ${version} of ${name ?? 'the model'}, which made this alert, is no longer kept.`,
    });
  }
  const { dir, card } = found;
  const row = alert.features.values;
  const about = { model: card.name, version: card.id, threshold: card.threshold, score: alert.score };
  const explainer = card.files['trees.bin'] ? explainerOf(dir, card.id) : undefined;
  if (!explainer)
    return { ...about, method: 'recorded', base: 0, output: alert.score, features: recorded(alert, card) };
  const shares = new Float64Array(explainer.features);
  const { bias } = explainer.shapley(row, Math.max(0, card.classes.indexOf(alert.label) - 1), shares);
  return {
    ...about,
    method: 'tree_shap',
    base: bias,
    output: shares.reduce((a, b) => a + b, bias),
    features: card.schema.features
      .map((f, i) => ({
        name: f.name,
        description: f.description,
        value: f.vocabulary?.[row[i]!] ?? row[i]!,
        usual: f.vocabulary?.[f.usual.median] ?? f.usual.median,
        share: shares[i]!,
        text: featureSentence(f, row[i]!, windows),
      }))
      .filter((f) => f.share !== 0)
      .sort((a, b) => Math.abs(b.share) - Math.abs(a.share)),
  };
}

/** What the detection said of its features when it was made. */
function recorded(alert: Alert, card: ModelCard): Explanation['features'] {
  return alert.evidence.flatMap((e) => {
    const feature = card.schema.features.find((f) => f.name === e.name);
    if (!feature || e.contribution === undefined) return [];
    return [
      {
        name: e.name,
        description: feature.description,
        value: e.value,
        usual: e.usual ?? feature.usual.median,
        share: e.contribution,
        text: e.text ?? '',
      },
    ];
  });
}

function explainerOf(dir: string, id: string): TreeExplainer {
  let explainer = explainers.get(id);
  if (!explainer) {
    if (explainers.size >= MAX_EXPLAINERS) explainers.clear();
    explainer = parseTreeFile(readFileSync(join(dir, 'trees.bin')));
    explainers.set(id, explainer);
  }
  return explainer;
}
