import { isMeasured, type FigureName, type Metrics } from '../contract/model-card.js';

/** A figure as text, `-` where no row could show it. */
export function figure(metrics: Metrics, name: FigureName): string {
  if (!isMeasured(metrics, name)) return '-';
  return SHARES.has(name) ? `${(metrics[name] * 100).toFixed(2)} %` : metrics[name].toFixed(4);
}

const SHARES: ReadonlySet<FigureName> = new Set([
  'recall',
  'falsePositiveRate',
  'accuracy',
  'precision',
  'recallAtBudget',
]);

/** What a model does on rows that it has not seen, or that nobody knows. */
export function heldOut(metrics: Metrics): string {
  if (metrics.rows === 0)
    return 'held-out: no rows: they come from too few sources to keep some of them apart. How good the model is was not measured; record more sources, or use --split time';
  const text = (name: FigureName): string => figure(metrics, name);
  return (
    `held-out (${metrics.rows} rows): recall ${text('recall')}, false alarms ${text('falsePositiveRate')}, ` +
    `accuracy ${text('accuracy')}, F1 ${text('f1')}, ROC AUC ${text('rocAuc')}, PR AUC ${text('prAuc')}, ECE ${text('ece')}`
  );
}
