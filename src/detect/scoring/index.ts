export { signatureId } from './detection.js';
export { featureSentence } from './explain.js';
export type { Windows } from './feature-words.js';
export { parseTreeFile, type TreeExplainer } from './tree-explainer.js';
export type { LoadedBundle } from './bundle.js';
export type { BatchScores } from './messages.js';
export type { ReloadReport, Shadow } from './model-set.js';
export { scoringOptionsSchema, type ScoringOptions } from './options.js';
export { createScorer, type Scorer, type ScorerDeps } from './scorer.js';
